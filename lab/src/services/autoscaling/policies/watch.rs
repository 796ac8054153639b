//! Alarms trigger policies, once a minute while they are in a state that has an action (user guide).

use std::time::Duration;

use jiff::Timestamp;

use super::super::errors::{invalid, not_found};
use super::super::group::{Group, LifecycleState};
use super::super::queue::schedule;
use super::super::state::Event;
use super::find::find;
use super::policy::{Policy, PolicyType};
use super::{adjust, read, tracking};
use crate::services::autoscaling::activities::stamp;
use crate::services::autoscaling::capacity;
use crate::services::cloudwatch::{self, AlarmState};
use crate::wire::{ApiResult, Value};
use crate::world::{World, elapsed, later};

/// How often alarms trigger policies.
const MINUTE: Duration = Duration::from_secs(60);

/// The capacity that a policy asks for, and the alarm that triggered it.
struct Proposal {
    policy: String,
    kind: PolicyType,
    alarm: String,
    state: AlarmState,
    capacity: u64,
}

/// Starts evaluating the alarms of a group's policies, unless that has started already.
pub(super) fn begin(world: &mut World, name: &str) {
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    if !std::mem::replace(&mut group.watched, true) {
        let born = group.created;
        schedule(world, MINUTE, Event::EvaluateAlarms(name.to_owned(), born));
    }
}

/// Lets alarms trigger a group's policies. `born` is the group's creation time.
pub(in crate::services::autoscaling) fn watch(world: &mut World, name: &str, born: Timestamp) {
    let Some(group) = world.autoscaling.groups.get_mut(name).filter(|g| g.created == born) else {
        return;
    };
    if group.policies.is_empty() {
        group.watched = false;
        return;
    }
    if group.is_process_active("AlarmNotification") && !group.deleting {
        let wishes = wishes(world, name);
        if let Some(wish) = chosen(world, name, wishes) {
            apply_proposal(world, name, &wish);
        }
    }
    schedule(world, MINUTE, Event::EvaluateAlarms(name.to_owned(), born));
}

fn wishes(world: &World, name: &str) -> Vec<Proposal> {
    let Some(group) = world.autoscaling.groups.get(name) else { return Vec::new() };
    let mut wishes = Vec::new();
    for policy in group.policies.values().filter(|policy| policy.enabled) {
        for (alarm, state) in cloudwatch::triggered_alarms(world, &policy.arn) {
            if let Some(capacity) = wanted(world, group, policy, &alarm) {
                let (policy, kind) = (policy.name.clone(), policy.kind);
                wishes.push(Proposal { policy, kind, alarm, state, capacity });
            }
        }
    }
    wishes
}

/// Returns the capacity that one policy asks for. When scaling out it counts only warmed-up instances: those
/// still warming up were added by an earlier trigger. It doesn't scale in while instances launch or leave.
fn wanted(world: &World, group: &Group, policy: &Policy, alarm: &str) -> Option<u64> {
    let measured = cloudwatch::alarm_value(world, alarm);
    let warm = warmed(world, group, policy);
    let steady = group
        .members
        .values()
        .all(|m| m.state == LifecycleState::InService || m.state.is_standby())
        && warm == group.live().count() as u64;
    match policy.kind {
        PolicyType::Predictive => None,
        PolicyType::Simple => {
            let cooling = group.cooldown_until.is_some_and(|until| until > world.now);
            adjust::wanted(policy, group.desired, 0.0).filter(|_| !cooling)
        }
        PolicyType::Step => {
            let (value, threshold) = measured?;
            let beyond = value - threshold;
            let more = adjust::wanted(policy, warm, beyond).filter(|n| *n > group.desired);
            let less = || adjust::wanted(policy, group.desired, beyond);
            more.or_else(|| less().filter(|n| *n < group.desired && steady))
        }
        PolicyType::Tracking if policy.alarms.first().is_some_and(|high| high == alarm) => {
            let all = cloudwatch::alarm_total(world, alarm);
            tracking::wanted(policy, all.unwrap_or(measured?.0 * warm as f64))
                .filter(|n| *n > group.desired)
        }
        PolicyType::Tracking => {
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

/// Chooses the largest capacity asked for: scaling out takes precedence over scaling in. Target tracking
/// scales in only if all such policies with scale-in enabled agree (user guide).
fn chosen(world: &World, name: &str, wishes: Vec<Proposal>) -> Option<Proposal> {
    let group = world.autoscaling.groups.get(name)?;
    let trackers = group
        .policies
        .values()
        .filter(|p| p.kind == PolicyType::Tracking && p.enabled && tracking::scales_in(p))
        .count();
    let lowering = wishes
        .iter()
        .filter(|w| w.kind == PolicyType::Tracking && w.capacity < group.desired)
        .count();
    wishes
        .into_iter()
        .map(|wish| Proposal { capacity: wish.capacity.clamp(group.min, group.max), ..wish })
        .filter(|wish| wish.capacity != group.desired)
        .filter(|w| {
            w.capacity > group.desired || w.kind != PolicyType::Tracking || lowering == trackers
        })
        .max_by_key(|wish| wish.capacity)
}

fn apply_proposal(world: &mut World, name: &str, wish: &Proposal) {
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
        if policy.kind == PolicyType::Simple {
            group.cooldown_until = Some(cooled(policy, cooldown, now));
        }
    }
    capacity::converge_soon(world, name);
}

/// Returns the end of a cooldown. AWS counts from the end of the activity, the lab from the trigger.
fn cooled(policy: &Policy, of_group: u64, now: Timestamp) -> Timestamp {
    let own = policy.settings.int("Cooldown").and_then(|n| u64::try_from(n).ok());
    later(now, Duration::from_secs(own.unwrap_or(of_group)))
}

/// Returns how many instances are in service and past the policy's warmup: its own, the group's, or else the
/// group's cooldown (user guide).
fn warmed(world: &World, group: &Group, policy: &Policy) -> u64 {
    let own = policy.settings.int("EstimatedInstanceWarmup").and_then(|n| u64::try_from(n).ok());
    let warmup = Duration::from_secs(own.or(group.warmup).unwrap_or(group.cooldown));
    let warm = |since: Timestamp| elapsed(since, world.now) >= warmup;
    let serving = group.members.values().filter(|m| m.state == LifecycleState::InService);
    serving.filter(|m| m.in_service.is_some_and(warm)).count() as u64
}

/// `ExecutePolicy`: executes a simple or step policy at once.
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
        PolicyType::Simple => 0.0,
        PolicyType::Step => {
            let (value, threshold) =
                (read::float(input, "MetricValue"), read::float(input, "BreachThreshold"));
            value.zip(threshold).map(|(value, threshold)| value - threshold).ok_or_else(|| {
                invalid("MetricValue and BreachThreshold are required for policy type StepScaling")
            })?
        }
        PolicyType::Tracking | PolicyType::Predictive => {
            return Err(invalid(format!(
                "ExecutePolicy is not supported for policy type {}",
                policy.kind.name()
            )));
        }
    };
    let honours = input.bool("HonorCooldown").unwrap_or(false);
    if honours && group.cooldown_until.is_some_and(|until| until > now) {
        return Err(capacity::cooldown_error(&name));
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
        if policy.kind == PolicyType::Simple {
            group.cooldown_until = Some(cooled(&policy, group.cooldown, now));
        }
    }
    capacity::converge_soon(world, &name);
    Ok(Value::Null)
}
