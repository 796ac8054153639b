//! Metrics, and for those of `AWS/ApplicationELB` how they are derived from a minute's counts, and when they
//! are absent (user guide; recorded once).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::arrival::arrived;
use super::instance_metrics;
use super::metric::{Metric, dimensions};
use super::period::{MINUTE, floor};
use super::samples::Samples;
use crate::traffic::{GroupMinute, MinMax, Minute};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The namespace of load balancer metrics.
pub(super) const NAMESPACE: &str = "AWS/ApplicationELB";
/// Metrics that exist for a target group behind a load balancer.
pub(super) const OF_GROUP: &[&str] = &[
    "RequestCount",
    "RequestCountPerTarget",
    "HTTPCode_Target_2XX_Count",
    "HTTPCode_Target_3XX_Count",
    "HTTPCode_Target_4XX_Count",
    "HTTPCode_Target_5XX_Count",
    "TargetConnectionErrorCount",
    "TargetResponseTime",
    "HealthyHostCount",
    "UnHealthyHostCount",
];
/// Metrics that exist for a load balancer only: they don't say which target group caused the error.
pub(super) const OF_BALANCER: &[&str] =
    &["HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_502_Count", "HTTPCode_ELB_503_Count"];

impl Metric {
    /// Reads `Namespace`, `MetricName` and `Dimensions`.
    pub(super) fn read(input: &Value) -> ApiResult<Metric> {
        let need = |key: &str| {
            input.str(key).map(str::to_owned).ok_or_else(|| {
                let message = format!("The parameter {key} is required.");
                ApiError::sender("MissingParameter", message)
            })
        };
        Ok(Metric {
            namespace: need("Namespace")?,
            name: need("MetricName")?,
            dimensions: dimensions(input.list("Dimensions")),
        })
    }

    /// Formats the metric as [`Metric::read`] reads it.
    pub(super) fn write(&self) -> Value {
        let dimensions = self.dimensions.iter().map(|(name, value)| {
            map([("Name", name.as_str().into()), ("Value", value.as_str().into())])
        });
        map([
            ("Namespace", self.namespace.as_str().into()),
            ("MetricName", self.name.as_str().into()),
            ("Dimensions", dimensions.collect::<Vec<_>>().into()),
        ])
    }

    /// Returns the unit of its values.
    pub(super) fn unit(&self) -> &'static str {
        match self.name.as_str() {
            "TargetResponseTime" => "Seconds",
            "CPUUtilization" => "Percent",
            _ => "Count",
        }
    }

    /// Returns its samples by period, keyed by the period's start: every period of `period` seconds from
    /// `start` (inclusive) to `end` (exclusive) that has data which have arrived.
    pub(super) fn read_between(
        &self,
        world: &World,
        start: Timestamp,
        end: Timestamp,
        period: i64,
    ) -> BTreeMap<Timestamp, Samples> {
        let start = floor(start, MINUTE.min(period));
        let mut periods: BTreeMap<Timestamp, Samples> = BTreeMap::new();
        if let Some(known) = world.cloudwatch.custom.get(self) {
            for (at, samples) in known.range(start..end) {
                periods.entry(floor(*at, period).max(start)).or_default().merge(samples);
            }
            return periods;
        }
        for (minute, samples) in instance_metrics::minutes(self, world, start, end) {
            periods.entry(floor(minute, period).max(start)).or_default().merge(&samples);
        }
        for (minute, counts) in world.traffic.minutes().range(start..) {
            if *minute >= end || !arrived(world, *minute) {
                break;
            }
            if let Some(samples) = self.samples(world, counts) {
                periods.entry(floor(*minute, period).max(start)).or_default().merge(&samples);
            }
        }
        periods
    }

    fn samples(&self, world: &World, minute: &Minute) -> Option<Samples> {
        if self.namespace != NAMESPACE {
            return None;
        }
        let mut wanted = self.dimensions.clone();
        let balancer = wanted.remove("LoadBalancer")?;
        let group = wanted.remove("TargetGroup");
        if !wanted.is_empty() {
            return None;
        }
        let name = self.name.as_str();
        let mut samples = Samples::default();
        let nodes = nodes(world, &balancer);
        if let (Some(statuses), None) = (own_statuses(name), &group) {
            let refused = minute
                .balancer_responses
                .iter()
                .filter(|((b, status), _)| *b == balancer && statuses.contains(status));
            let number: u64 = refused.map(|(_, number)| number).sum();
            return (number > 0).then(|| Samples::counted(number));
        }
        for ((b, g), counts) in &minute.groups {
            if *b == balancer && group.as_ref().is_none_or(|wanted| wanted == g) {
                of_group(name, counts, nodes).iter().for_each(|s| samples.merge(s));
            }
        }
        (!samples.is_empty()).then_some(samples)
    }
}

/// Returns the samples of one target group's minute. RequestCount is zero in an idle minute; the others are
/// absent when nothing happened.
fn of_group(name: &str, counts: &GroupMinute, nodes: u64) -> Option<Samples> {
    let some = |number: u64| (number > 0).then(|| Samples::counted(number));
    let class = |digit: u16| counts.answers.get(&digit).copied().unwrap_or_default();
    match name {
        "RequestCount" => Some(Samples::counted(counts.requests)),
        "RequestCountPerTarget" => per_target(counts),
        "HTTPCode_Target_2XX_Count" => some(class(2)),
        "HTTPCode_Target_3XX_Count" => some(class(3)),
        "HTTPCode_Target_4XX_Count" => some(class(4)),
        "HTTPCode_Target_5XX_Count" => some(class(5)),
        "TargetConnectionErrorCount" => some(counts.connection_errors),
        "TargetResponseTime" => {
            let mut samples = Samples::default();
            counts.latency.iter().for_each(|(ms, number)| samples.add(*ms, *number));
            (!samples.is_empty()).then_some(samples)
        }
        "HealthyHostCount" => hosts(counts.healthy, nodes),
        "UnHealthyHostCount" => hosts(counts.unhealthy, nodes),
        _ => None,
    }
}

/// Returns requests per healthy target: one sample, of which Sum is the only meaningful statistic (user
/// guide). Absent without a healthy target.
fn per_target(counts: &GroupMinute) -> Option<Samples> {
    let (_, healthy) = counts.healthy.range.filter(|(_, high)| *high > 0)?;
    let mut samples = Samples::default();
    samples.add(counts.requests * 1000 / healthy, 1);
    Some(samples)
}

/// Returns one sample per node. If the number changed during the minute, one node reports the lowest and the
/// others the highest (a guess: AWS doesn't say when in the minute each node samples).
fn hosts(spread: MinMax, nodes: u64) -> Option<Samples> {
    let (low, high) = spread.range?;
    let mut samples = Samples::default();
    samples.add(low * 1000, 1);
    samples.add(high * 1000, nodes.saturating_sub(1));
    Some(samples)
}

/// Returns how many nodes a load balancer has, by its dimension; two, the minimum, if it is gone.
fn nodes(world: &World, dimension: &str) -> u64 {
    let mut all = world.elbv2.load_balancers.values();
    all.find(|b| b.dimension() == dimension).map_or(2, |b| b.nodes.len() as u64)
}

fn own_statuses(name: &str) -> Option<std::ops::RangeInclusive<u16>> {
    match name {
        "HTTPCode_ELB_5XX_Count" => Some(500..=599),
        "HTTPCode_ELB_502_Count" => Some(502..=502),
        "HTTPCode_ELB_503_Count" => Some(503..=503),
        _ => None,
    }
}
