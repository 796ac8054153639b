//! Group metrics, sampled once a minute while their collection is enabled.

use std::time::Duration;

use jiff::Timestamp;

use super::errors::invalid;
use super::group::{Group, LifecycleState, Member, MetricSample};
use super::queue::schedule;
use super::request::named;
use super::state::Event;
use crate::services::cloudwatch::GROUP_METRICS;
use crate::wire::{ApiResult, Value};
use crate::world::{World, elapsed, later};

/// How long CloudWatch keeps one-minute data (user guide).
const KEPT: Duration = Duration::from_secs(15 * 86_400);

/// `EnableMetricsCollection`: the named metrics, or all.
pub(super) fn enable(world: &mut World, input: &Value) -> ApiResult<Value> {
    if input.need_str("Granularity")? != "1Minute" {
        return Err(invalid("Granularity must be 1Minute"));
    }
    let chosen = chosen(input)?;
    let group = named(world, input)?;
    group.metrics.extend(chosen);
    let (name, born) = (group.name.clone(), group.created);
    if !std::mem::replace(&mut group.sampled, true) {
        let wait = elapsed(world.now, minute_after(world.now));
        schedule(world, wait, Event::SampleMetrics(name, born));
    }
    Ok(Value::Null)
}

/// `DisableMetricsCollection`: the named metrics, or all.
pub(super) fn disable(world: &mut World, input: &Value) -> ApiResult<Value> {
    let chosen = chosen(input)?;
    named(world, input)?.metrics.retain(|metric| !chosen.contains(metric));
    Ok(Value::Null)
}

/// Samples a group for the minute that has just begun. `born` is the group's creation time.
pub(super) fn sample(world: &mut World, name: &str, born: Timestamp) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name).filter(|g| g.created == born) else {
        return;
    };
    if group.metrics.is_empty() {
        group.sampled = false;
        return;
    }
    let counts = count(group);
    group.samples.insert(now, counts);
    group.samples.retain(|at, _| elapsed(*at, now) < KEPT);
    schedule(world, Duration::from_secs(60), Event::SampleMetrics(name.to_owned(), born));
}

fn count(group: &Group) -> MetricSample {
    let having = |is: fn(LifecycleState) -> bool| {
        group.members.values().filter(|member: &&Member| is(member.state)).count() as u64
    };
    MetricSample {
        bounds: (group.min, group.max, group.desired),
        in_service: having(|state| state == LifecycleState::InService),
        pending: having(LifecycleState::is_launching),
        standby: having(LifecycleState::is_standby),
        terminating: having(LifecycleState::is_leaving),
    }
}

fn chosen(input: &Value) -> ApiResult<Vec<String>> {
    let named = input.strings("Metrics");
    if let Some(other) = named.iter().find(|metric| !GROUP_METRICS.contains(&metric.as_str())) {
        return Err(invalid(format!("Unknown metric: {other}")));
    }
    Ok(if named.is_empty() { GROUP_METRICS.map(str::to_owned).to_vec() } else { named })
}

fn minute_after(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    let begun = Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(at);
    later(begun, Duration::from_secs(60))
}
