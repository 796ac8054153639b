//! Health checks of a group's instances, and the replacement of unhealthy ones.

use std::time::Duration;

use jiff::Timestamp;

use super::cause::Cause;
use super::group::{Group, LifecycleState};
use super::queue::schedule;
use super::state::Event;
use super::{capacity, lifecycle, rebalance};
use crate::services::ec2::InstanceState;
use crate::services::elbv2::{self, TargetState};
use crate::world::{World, elapsed};

/// Checks every instance in service, replaces unhealthy ones, rebalances the zones, and schedules the next
/// check. `born` is the creation time of the group that the checks belong to.
pub(super) fn check(world: &mut World, name: &str, born: Timestamp) {
    let ours = |group: &&Group| group.created == born;
    let Some(group) = world.autoscaling.groups.get(name).filter(ours) else { return };
    let interval = world.params.health_check;
    if group.is_process_active("HealthCheck") {
        note_impaired(world, name);
        let Some(group) = world.autoscaling.groups.get(name) else { return };
        let sick: Vec<(String, Cause)> = group
            .members
            .iter()
            .filter(|(_, member)| member.state == LifecycleState::InService)
            .filter_map(|(id, member)| {
                let why = unhealthy_cause(world, group, id);
                why.or((!member.healthy).then_some(Cause::UserHealth)).map(|why| (id.clone(), why))
            })
            .collect();
        replace(world, name, &sick);
    }
    rebalance::rebalance(world, name);
    schedule(world, interval, Event::CheckHealth(name.to_owned(), born));
}

/// Notes when EC2's status checks began to fail, which they do for instances in a lost zone.
fn note_impaired(world: &mut World, name: &str) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    for member in group.members.values_mut() {
        let alive = world.ec2.zones.get(&member.zone).is_none_or(|zone| zone.alive);
        member.impaired = (!alive).then(|| member.impaired.unwrap_or(now));
    }
}

fn replace(world: &mut World, name: &str, sick: &[(String, Cause)]) {
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    for (id, _) in sick {
        if let Some(member) = group.members.get_mut(id) {
            member.healthy = false;
        }
    }
    if !group.is_process_active("ReplaceUnhealthy") || sick.is_empty() {
        return;
    }
    for (id, why) in sick {
        lifecycle::begin_termination(world, name, id, *why);
    }
    let refreshes = world
        .autoscaling
        .groups
        .get(name)
        .and_then(Group::active_refresh)
        .is_some_and(|refresh| refresh.status.replaces());
    if !refreshes {
        capacity::launch_missing(world, name, Cause::ElbHealth);
    }
}

/// Returns why an instance is unhealthy, or `None` if it is healthy. An instance that no longer runs counts
/// at once; failing status checks, and load balancer health where the group uses it, count only after the
/// grace period that starts at InService (user guide).
fn unhealthy_cause(world: &World, group: &Group, id: &str) -> Option<Cause> {
    let instance = world.ec2.instances.get(id);
    if instance.is_none_or(|instance| instance.state != InstanceState::Running) {
        return Some(Cause::Ec2Health);
    }
    let member = group.members.get(id)?;
    if is_graced(group, member.in_service?, world.now) {
        return None;
    }
    let impaired = |since| elapsed(since, world.now) >= world.params.status_check_failure;
    if member.impaired.is_some_and(impaired) {
        return Some(Cause::Ec2Health);
    }
    let unhealthy = group.uses_elb_health()
        && states(world, group, id).any(|state| state == TargetState::Unhealthy);
    unhealthy.then_some(Cause::ElbHealth)
}

/// Returns whether an instance that entered service at `since` is within the group's grace period.
pub(super) fn is_graced(group: &Group, since: Timestamp, now: Timestamp) -> bool {
    elapsed(since, now) < Duration::from_secs(group.grace)
}

/// Returns whether load balancers allow a refresh to count an instance: every target group whose health
/// checks the group uses finds it healthy. `unused` counts as healthy (a guess).
pub(super) fn passes_elb_health(world: &World, group: &Group, id: &str) -> bool {
    !group.uses_elb_health()
        || states(world, group, id)
            .all(|state| matches!(state, TargetState::Healthy | TargetState::Unused))
}

fn states<'a>(
    world: &'a World,
    group: &'a Group,
    id: &'a str,
) -> impl Iterator<Item = TargetState> + 'a {
    group
        .target_groups
        .iter()
        .filter_map(move |target_group| elbv2::target_state(world, target_group, id))
}
