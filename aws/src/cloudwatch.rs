//! CloudWatch: request counts of load balancers, and alarms.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{
    AlarmType, Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat,
};
use jiff::Timestamp;

use super::convert::{date_time, timestamp};
use super::{Aws, AwsError};
use cutover_rollout::model::{Counts, TargetGroupCounts};

const NAMESPACE: &str = "AWS/ApplicationELB";

/// The period of a data point in seconds: the shortest that load balancers publish (user guide).
const PERIOD: i32 = 60;

/// The prefix of each query's id and its metric. If no connection to a target can be made, the load balancer
/// answers the request, so HTTPCode_Target_5XX_Count does not count it.
const METRICS: [(&str, &str); 3] = [
    ("requests", "RequestCount"),
    ("errors", "HTTPCode_Target_5XX_Count"),
    ("unconnected", "TargetConnectionErrorCount"),
];

impl Aws {
    /// Returns the counts of each pair of load balancer and target group, in the order of the pairs, for the
    /// minutes that begin within `[from, until)`. Takes at most 166 pairs (API model: 500 queries).
    ///
    /// # Errors
    /// If the request fails.
    pub async fn counts(
        &self,
        pairs: &[(String, String)],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<TargetGroupCounts>, AwsError> {
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let queries = pairs.iter().enumerate().flat_map(|(n, pair)| queries(n, pair));
        let request = self
            .cloudwatch
            .get_metric_data()
            .set_metric_data_queries(Some(queries.collect()))
            .start_time(date_time(from))
            .end_time(date_time(until));
        let pages = self
            .read("cloudwatch:GetMetricData", || {
                request.clone().into_paginator().send().collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let results = || pages.iter().flat_map(|page| page.metric_data_results());
        Ok((0..pairs.len()).map(|n| counts(n, results())).collect())
    }

    /// Returns the states of these metric and composite alarms, in the order of the names: `OK`, `ALARM` or
    /// `INSUFFICIENT_DATA`. Alarms that do not exist are omitted.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn alarms(&self, names: &[&str]) -> Result<Vec<(String, String)>, AwsError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let names_owned = names.iter().map(|name| (*name).to_owned()).collect();
        let request = self
            .cloudwatch
            .describe_alarms()
            .set_alarm_names(Some(names_owned))
            // Without types, AWS returns only metric alarms (API model).
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm);
        let answer = self.read("cloudwatch:DescribeAlarms", || request.clone().send()).await?;
        let metric = answer.metric_alarms().iter().map(|a| (a.alarm_name(), a.state_value()));
        let composite = answer.composite_alarms().iter().map(|a| (a.alarm_name(), a.state_value()));
        let mut states: Vec<(String, String)> = metric
            .chain(composite)
            .filter_map(|(name, state)| Some((name?.to_owned(), state?.as_str().to_owned())))
            .collect();
        states.sort_by_key(|(name, _)| names.iter().position(|wanted| wanted == name));
        Ok(states)
    }
}

/// Makes the queries for one pair. Their ids end with its number.
fn queries(
    number: usize,
    (load_balancer, target_group): &(String, String),
) -> Vec<MetricDataQuery> {
    let dimensions = [
        dimension("LoadBalancer", tail(load_balancer, "loadbalancer/")),
        dimension("TargetGroup", tail(target_group, "")),
    ];
    let query = |(id, metric): (&str, &str)| {
        let metric = Metric::builder()
            .namespace(NAMESPACE)
            .metric_name(metric)
            .set_dimensions(Some(dimensions.to_vec()))
            .build();
        let stat = MetricStat::builder().metric(metric).period(PERIOD).stat("Sum").build();
        MetricDataQuery::builder().id(format!("{id}_{number}")).metric_stat(stat).build()
    };
    METRICS.map(query).into()
}

fn dimension(name: &str, value: &str) -> Dimension {
    Dimension::builder().name(name).value(value).build()
}

/// Returns the dimension's value, the end of the ARN: `app/name/id` or `targetgroup/name/id` (user guide).
fn tail<'a>(arn: &'a str, prefix: &str) -> &'a str {
    let resource = arn.rsplit(':').next().unwrap_or(arn);
    resource.strip_prefix(prefix).unwrap_or(resource)
}

/// Sums up the results of one pair. A minute counts if it has a RequestCount. A missing error count then means
/// zero (user guide: error metrics are published only if they are nonzero).
fn counts<'a>(
    number: usize,
    results: impl Iterator<Item = &'a MetricDataResult>,
) -> TargetGroupCounts {
    let mut minutes: BTreeMap<Timestamp, Counts> = BTreeMap::new();
    let mut errors: BTreeMap<Timestamp, u64> = BTreeMap::new();
    for result in results {
        let Some((id, of)) = result.id().and_then(|id| id.rsplit_once('_')) else { continue };
        if of != number.to_string() {
            continue;
        }
        for (time, value) in result.timestamps().iter().zip(result.values()) {
            let Some(time) = timestamp(time) else { continue };
            let value = value.round().max(0.0) as u64;
            if id == "requests" {
                minutes.entry(time).or_default().requests += value;
            } else {
                *errors.entry(time).or_default() += value;
            }
        }
    }
    for (time, counts) in &mut minutes {
        counts.errors = errors.get(time).copied().unwrap_or(0);
    }
    TargetGroupCounts { minutes: minutes.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::DateTime;

    fn result(id: &str, points: &[(i64, f64)]) -> MetricDataResult {
        MetricDataResult::builder()
            .id(id)
            .set_timestamps(Some(points.iter().map(|p| DateTime::from_secs(p.0)).collect()))
            .set_values(Some(points.iter().map(|p| p.1).collect()))
            .build()
    }

    #[test]
    fn minutes_without_a_request_count_are_no_evidence() {
        let results = [
            result("requests_1", &[(120, 50.0), (60, 40.0), (180, 0.0)]),
            result("errors_1", &[(60, 3.0), (240, 9.0)]),
            result("unconnected_1", &[(60, 1.0)]),
            result("requests_0", &[(60, 7.0)]),
        ];
        let read = counts(1, results.iter());
        let minute = |second, requests, errors| {
            (Timestamp::from_second(second).unwrap(), Counts { requests, errors })
        };
        assert_eq!(read.minutes, [minute(60, 40, 4), minute(120, 50, 0), minute(180, 0, 0)]);
        assert_eq!(counts(0, results.iter()).minutes, [minute(60, 7, 0)]);
    }

    #[test]
    fn dimensions_are_tails_of_arns() {
        let arn = "arn:aws:elasticloadbalancing:x:1:";
        assert_eq!(
            tail(&format!("{arn}loadbalancer/app/web/50dc"), "loadbalancer/"),
            "app/web/50dc"
        );
        assert_eq!(tail(&format!("{arn}targetgroup/web/6d0e"), ""), "targetgroup/web/6d0e");
    }
}
