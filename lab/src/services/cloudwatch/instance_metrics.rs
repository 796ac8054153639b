//! The metrics of EC2 and Auto Scaling: `AWS/EC2` of a group or an instance, derived from the requests to its
//! targets, and `AWS/AutoScaling` of groups that collect metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::arrival::arrived;
use super::metric::Metric;
use super::period::{MINUTE, floor};
use super::samples::Samples;
use crate::services::autoscaling::group::{Group, MetricSample};
use crate::traffic;
use crate::world::{World, later};

/// The namespace of instance metrics.
pub(super) const OF_INSTANCES: &str = "AWS/EC2";
/// The namespace of group metrics.
pub(super) const OF_GROUPS: &str = "AWS/AutoScaling";

/// The metrics that a group can collect (API model: `EnableMetricsCollection`), without those of warm pools.
pub const GROUP_METRICS: [&str; 8] = [
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
];

/// Lists the metrics that have data, or could have.
pub(super) fn listed(world: &World) -> Vec<Metric> {
    let metric = |namespace: &str, name: &str, key: &str, value: &str| Metric {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: BTreeMap::from([(key.to_owned(), value.to_owned())]),
    };
    let mut metrics = Vec::new();
    for group in world.autoscaling.groups.values() {
        let of_group =
            |namespace, name| metric(namespace, name, "AutoScalingGroupName", &group.name);
        metrics.extend(group.metrics.iter().map(|name| of_group(OF_GROUPS, name)));
        metrics.push(of_group(OF_INSTANCES, "CPUUtilization"));
        let ids = group.live().map(|(id, _)| id);
        metrics.extend(ids.map(|id| metric(OF_INSTANCES, "CPUUtilization", "InstanceId", id)));
    }
    metrics
}

/// Returns the samples of each minute from `start` to `end` whose data have arrived.
pub(super) fn minutes(
    metric: &Metric,
    world: &World,
    start: Timestamp,
    end: Timestamp,
) -> BTreeMap<Timestamp, Samples> {
    match (metric.namespace.as_str(), &metric.dimensions) {
        (OF_GROUPS, _) => of_group(metric, world, start, end),
        (OF_INSTANCES, _) if metric.name == "CPUUtilization" => cpu(metric, world, start, end),
        _ => BTreeMap::new(),
    }
}

fn group<'w>(metric: &Metric, world: &'w World) -> Option<&'w Group> {
    let name = metric.dimensions.get("AutoScalingGroupName")?;
    world.autoscaling.groups.get(name).filter(|_| metric.dimensions.len() == 1)
}

fn of_group(
    metric: &Metric,
    world: &World,
    start: Timestamp,
    end: Timestamp,
) -> BTreeMap<Timestamp, Samples> {
    let Some(group) = group(metric, world) else { return BTreeMap::new() };
    let known =
        group.samples.range(start..).take_while(|(at, _)| **at < end && arrived(world, **at));
    known
        .filter_map(|(at, counts)| {
            let mut samples = Samples::default();
            samples.add(counted(&metric.name, counts)? * 1000, 1);
            Some((*at, samples))
        })
        .collect()
}

fn counted(name: &str, counts: &MetricSample) -> Option<u64> {
    let (min, max, desired) = counts.bounds;
    Some(match name {
        "GroupMinSize" => min,
        "GroupMaxSize" => max,
        "GroupDesiredCapacity" => desired,
        "GroupInServiceInstances" => counts.in_service,
        "GroupPendingInstances" => counts.pending,
        "GroupStandbyInstances" => counts.standby,
        "GroupTerminatingInstances" => counts.terminating,
        "GroupTotalInstances" => {
            counts.in_service + counts.pending + counts.standby + counts.terminating
        }
        _ => return None,
    })
}

/// Returns CPU utilization: an idle share, plus the requests per instance relative to what its program can
/// handle (guesses: `Params::cpu_idle` and, for a program without a limit, `Params::cpu_full`). One sample
/// per instance, all of them equal: targets share requests evenly.
fn cpu(
    metric: &Metric,
    world: &World,
    start: Timestamp,
    end: Timestamp,
) -> BTreeMap<Timestamp, Samples> {
    let instance = metric.dimensions.get("InstanceId");
    let holds = |g: &&Group| instance.is_some_and(|id| g.members.contains_key(id));
    let group = match instance {
        Some(_) => world.autoscaling.groups.values().find(holds),
        None => group(metric, world),
    };
    let Some(group) = group else { return BTreeMap::new() };
    let mut minutes = BTreeMap::new();
    let mut at = floor(start.max(group.created), MINUTE);
    while at < end && arrived(world, at) {
        if let Some((number, percent)) = busy(world, group, at) {
            let mut samples = Samples::default();
            samples.add((percent * 1000.0) as u64, if instance.is_some() { 1 } else { number });
            minutes.insert(at, samples);
        }
        at = later(at, Duration::from_secs(MINUTE as u64));
    }
    minutes
}

/// Returns how many instances a group had in a minute, and how busy each was in percent; none without
/// instances.
fn busy(world: &World, group: &Group, minute: Timestamp) -> Option<(u64, f64)> {
    let counts = world.traffic.minutes().get(&minute);
    let of_group = |dimension: &str| {
        group.target_groups.iter().any(|arn| arn.ends_with(&format!(":{dimension}")))
    };
    let (mut requests, mut hosts) = (0, 0);
    for ((_, dimension), counts) in counts.iter().flat_map(|minute| &minute.groups) {
        if of_group(dimension) {
            requests += counts.requests;
            let most = |spread: traffic::MinMax| spread.range.map_or(0, |(_, high)| high);
            hosts = hosts.max(most(counts.healthy) + most(counts.unhealthy));
        }
    }
    let number = if hosts > 0 { hosts } else { group.live().count() as u64 };
    if number == 0 {
        return None;
    }
    let each = requests as f64 / MINUTE as f64 / number as f64;
    let program = group.live().find_map(|(id, _)| world.ec2.instances.get(id)).map(|i| &i.program);
    let full = program.and_then(|program| traffic::capacity(world, program));
    let percent = world.params.cpu_idle + 100.0 * each / full.unwrap_or(world.params.cpu_full);
    Some((number, percent.min(100.0)))
}
