//! Alarms calling policies, once a minute while they are in a state with an action (user guide).

use std::time::Duration;

use jiff::Timestamp;

use super::{Kind, Policy, adjust, find, read, tracking};
use crate::services::autoscaling::activities::stamp;
use crate::services::autoscaling::{
    Event, Group, Lifecycle, capacity, invalid, not_found, schedule,
};
use crate::services::cloudwatch::{self, AlarmState};
use crate::wire::{ApiResult, Value};
use crate::world::{World, elapsed, later};

/// How often alarms call.
const MINUTE: Duration = Duration::from_secs(60);

/// What a policy wants of the desired capacity, and which alarm called it.
struct Wish {
    policy: String,
    kind: Kind,
    alarm: String,
    state: AlarmState,
    capacity: u64,
}

/// Begins to watch the alarms of a group's policies, unless that goes on already.
pub(super) fn begin(world: &mut World, name: &str) {
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    if !std::mem::replace(&mut group.watched, true) {
        let born = group.created;
        schedule(world, MINUTE, Event::Watch(name.to_owned(), born));
    }
}

/// Lets the alarms of a group's policies call them. `born` is the creation of the group.
pub(in crate::services::autoscaling) fn watch(world: &mut World, name: &str, born: Timestamp) {
    let Some(group) = world.autoscaling.groups.get_mut(name).filter(|g| g.created == born) else {
        return;
    };
    if group.policies.is_empty() {
        group.watched = false;
        return;
    }
    if group.runs("AlarmNotification") && !group.deleting {
        let wishes = wishes(world, name);
        if let Some(wish) = chosen(world, name, wishes) {
            grant(world, name, &wish);
        }
    }
    schedule(world, MINUTE, Event::Watch(name.to_owned(), born));
}

fn wishes(world: &World, name: &str) -> Vec<Wish> {
    let Some(group) = world.autoscaling.groups.get(name) else { return Vec::new() };
    let mut wishes = Vec::new();
    for policy in group.policies.values().filter(|policy| policy.enabled) {
        for (alarm, state) in cloudwatch::alarms_calling(world, &policy.arn) {
            if let Some(capacity) = wanted(world, group, policy, &alarm) {
                let (policy, kind) = (policy.name.clone(), policy.kind);
                wishes.push(Wish { policy, kind, alarm, state, capacity });
            }
        }
    }
    wishes
}

/// What one policy wants now. To add, it counts with the instances that have warmed up: those still
/// warming are what an earlier call has added. Nothing is taken away while instances come or go.
fn wanted(world: &World, group: &Group, policy: &Policy, alarm: &str) -> Option<u64> {
    let measured = cloudwatch::alarm_value(world, alarm);
    let warm = warmed(world, group, policy);
    let steady =
        group.members.values().all(|m| m.state == Lifecycle::InService || m.state.is_aside())
            && warm == group.live().count() as u64;
    match policy.kind {
        Kind::Predictive => None,
        Kind::Simple => {
            let cooling = group.cooling.is_some_and(|until| until > world.now);
            adjust::wanted(policy, group.desired, 0.0).filter(|_| !cooling)
        }
        Kind::Step => {
            let (value, threshold) = measured?;
            let beyond = value - threshold;
            let more = adjust::wanted(policy, warm, beyond).filter(|n| *n > group.desired);
            let less = || adjust::wanted(policy, group.desired, beyond);
            more.or_else(|| less().filter(|n| *n < group.desired && steady))
        }
        Kind::Tracking if policy.alarms.first().is_some_and(|high| high == alarm) => {
            let all = cloudwatch::alarm_total(world, alarm);
            tracking::wanted(policy, all.unwrap_or(measured?.0 * warm as f64))
                .filter(|n| *n > group.desired)
        }
        Kind::Tracking => {
            let rested = policy
                .lowered
                .is_none_or(|at| elapsed(at, world.now) >= world.params.scale_in_pause);
            let all = cloudwatch::alarm_total(world, alarm);
            let less = tracking::wanted(policy, all.unwrap_or(measured?.0 * group.desired as f64))?;
            (steady && rested && tracking::scales_in(policy) && less < group.desired)
                .then_some(less)
        }
    }
}

/// Of several wishes the largest capacity: adding comes before taking away. Target tracking takes
/// away only if all such policies that scale in want it (user guide).
fn chosen(world: &World, name: &str, wishes: Vec<Wish>) -> Option<Wish> {
    let group = world.autoscaling.groups.get(name)?;
    let trackers = group
        .policies
        .values()
        .filter(|p| p.kind == Kind::Tracking && p.enabled && tracking::scales_in(p))
        .count();
    let lowering =
        wishes.iter().filter(|w| w.kind == Kind::Tracking && w.capacity < group.desired).count();
    wishes
        .into_iter()
        .map(|wish| Wish { capacity: wish.capacity.clamp(group.min, group.max), ..wish })
        .filter(|wish| wish.capacity != group.desired)
        .filter(|w| w.capacity > group.desired || w.kind != Kind::Tracking || lowering == trackers)
        .max_by_key(|wish| wish.capacity)
}

fn grant(world: &mut World, name: &str, wish: &Wish) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    let (before, after) = (group.desired, wish.capacity);
    group.reason = Some(format!(
        "At {} a monitor alarm {} in state {} triggered policy {} changing the desired capacity from {before} to {after}.",
        stamp(now),
        wish.alarm,
        wish.state.name(),
        wish.policy,
    ));
    group.desired = after;
    let cooldown = group.cooldown;
    if let Some(policy) = group.policies.get_mut(&wish.policy) {
        if after < before {
            policy.lowered = Some(now);
        }
        if policy.kind == Kind::Simple {
            group.cooling = Some(cooled(policy, cooldown, now));
        }
    }
    capacity::converge_soon(world, name);
}

/// The end of a cooldown. AWS counts from the end of the activity; here it is from the call.
fn cooled(policy: &Policy, of_group: u64, now: Timestamp) -> Timestamp {
    let own = policy.settings.int("Cooldown").and_then(|n| u64::try_from(n).ok());
    later(now, Duration::from_secs(own.unwrap_or(of_group)))
}

/// How many instances are in service and past the policy's warmup: its own, the group's, or else the
/// group's cooldown (user guide).
fn warmed(world: &World, group: &Group, policy: &Policy) -> u64 {
    let own = policy.settings.int("EstimatedInstanceWarmup").and_then(|n| u64::try_from(n).ok());
    let warmup = Duration::from_secs(own.or(group.warmup).unwrap_or(group.cooldown));
    let warm = |since: Timestamp| elapsed(since, world.now) >= warmup;
    let serving = group.members.values().filter(|m| m.state == Lifecycle::InService);
    serving.filter(|m| m.in_service.is_some_and(warm)).count() as u64
}

/// `ExecutePolicy`: of a simple or step policy, at once.
pub(in crate::services::autoscaling) fn execute(
    world: &mut World,
    input: &Value,
) -> ApiResult<Value> {
    let (name, policy) = find(world, input)?;
    let now = world.now;
    let group = world.autoscaling.groups.get_mut(&name).ok_or_else(|| not_found(&name))?;
    let Some(policy) = group.policies.get(&policy).cloned() else {
        return Err(invalid(format!("No policy found with name {policy}")));
    };
    let beyond = match policy.kind {
        Kind::Simple => 0.0,
        Kind::Step => {
            let (value, threshold) =
                (read::float(input, "MetricValue"), read::float(input, "BreachThreshold"));
            value.zip(threshold).map(|(value, threshold)| value - threshold).ok_or_else(|| {
                invalid("MetricValue and BreachThreshold are required for policy type StepScaling")
            })?
        }
        Kind::Tracking | Kind::Predictive => {
            return Err(invalid(format!(
                "ExecutePolicy is not supported for policy type {}",
                policy.kind.name()
            )));
        }
    };
    let honours = input.bool("HonorCooldown").unwrap_or(false);
    if honours && group.cooling.is_some_and(|until| until > now) {
        return Err(capacity::cooling(&name));
    }
    let Some(after) = adjust::wanted(&policy, group.desired, beyond) else {
        return Ok(Value::Null);
    };
    let (before, after) = (group.desired, after.clamp(group.min, group.max));
    if before != after {
        group.reason = Some(format!(
            "At {} a user request executed policy {} changing the desired capacity from {before} to {after}.",
            stamp(now),
            policy.name
        ));
        group.desired = after;
        if policy.kind == Kind::Simple {
            group.cooling = Some(cooled(&policy, group.cooldown, now));
        }
    }
    capacity::converge_soon(world, &name);
    Ok(Value::Null)
}
