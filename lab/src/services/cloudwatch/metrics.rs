//! Metrics; those of `AWS/ApplicationELB`: what each means in terms of a minute's counts, and when it
//! is absent (user guide; recorded once).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::fleet;
use super::samples::Samples;
use crate::traffic::{GroupMinute, Minute, Spread};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{World, later};

/// The namespace of load balancers.
pub(super) const NAMESPACE: &str = "AWS/ApplicationELB";
/// The resolution of all data of the services.
pub(super) const MINUTE: i64 = 60;

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
/// Metrics that exist for a load balancer only: which target group was to blame is not told.
pub(super) const OF_BALANCER: &[&str] =
    &["HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_502_Count", "HTTPCode_ELB_503_Count"];

/// One metric: a name and the resources that it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Metric {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: BTreeMap<String, String>,
}

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

    /// Writes what [`Metric::read`] reads.
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

    /// The unit of its values.
    pub(super) fn unit(&self) -> &'static str {
        match self.name.as_str() {
            "TargetResponseTime" => "Seconds",
            "CPUUtilization" => "Percent",
            _ => "Count",
        }
    }

    /// Its samples of every period of `period` seconds from `start` (inclusive) to `end`
    /// (exclusive) that has any and whose data have arrived, by the time that the period begins.
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
        for (minute, samples) in fleet::minutes(self, world, start, end) {
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
                .refused
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

/// The samples of one group's minute. RequestCount is zero in an idle minute; the others are absent
/// when nothing happened.
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

/// Requests by healthy targets: one sample, whose Sum is the only statistic that means anything (user
/// guide). Absent without a healthy target.
fn per_target(counts: &GroupMinute) -> Option<Samples> {
    let (_, healthy) = counts.healthy.range.filter(|(_, high)| *high > 0)?;
    let mut samples = Samples::default();
    samples.add(counts.requests * 1000 / healthy, 1);
    Some(samples)
}

/// One sample a node: of a number that changed during the minute, one has seen the lowest and the others
/// the highest (a guess: when in the minute each looks is not told).
fn hosts(spread: Spread, nodes: u64) -> Option<Samples> {
    let (low, high) = spread.range?;
    let mut samples = Samples::default();
    samples.add(low * 1000, 1);
    samples.add(high * 1000, nodes.saturating_sub(1));
    Some(samples)
}

/// How many nodes a load balancer has, by its dimension; the fewest that one can have, if it is gone.
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

/// Whether the data of the minute that begins at `minute` can be read yet.
pub(super) fn arrived(world: &World, minute: Timestamp) -> bool {
    let end = later(minute, Duration::from_secs(MINUTE as u64));
    later(end, world.params.metrics_delay) <= world.now
}

/// The end of the newest minute whose data can be read.
pub(super) fn arrived_until(world: &World) -> Timestamp {
    let latest = world.now.checked_sub(world.params.metrics_delay).unwrap_or(Timestamp::MIN);
    floor(latest, MINUTE)
}

/// The beginning of the period that an instant is in.
pub(super) fn floor(at: Timestamp, period: i64) -> Timestamp {
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(period.max(1))).unwrap_or(at)
}

/// Reads a list of `Name` and `Value`.
pub(super) fn dimensions(list: &[Value]) -> BTreeMap<String, String> {
    list.iter()
        .filter_map(|d| Some((d.str("Name")?.to_owned(), d.str("Value").unwrap_or("").to_owned())))
        .collect()
}
