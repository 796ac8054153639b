//! Health checks of a group's instances, and the replacement of unhealthy ones.

use std::time::Duration;

use jiff::Timestamp;

use super::cause::Why;
use super::{Event, Group, Lifecycle, balance, capacity, life, schedule};
use crate::services::ec2::InstanceState;
use crate::services::elbv2::{self, TargetState};
use crate::world::{World, elapsed};

/// Checks every instance in service, replaces those found unhealthy, looks at the balance of the
/// zones, and schedules the next check. `born` is the creation of the group that the checks belong to.
pub(super) fn check(world: &mut World, name: &str, born: Timestamp) {
    let ours = |group: &&Group| group.created == born;
    let Some(group) = world.autoscaling.groups.get(name).filter(ours) else { return };
    let interval = world.params.health_check;
    if group.runs("HealthCheck") {
        note_impaired(world, name);
        let Some(group) = world.autoscaling.groups.get(name) else { return };
        let sick: Vec<(String, Why)> = group
            .members
            .iter()
            .filter(|(_, member)| member.state == Lifecycle::InService)
            .filter_map(|(id, member)| {
                let why = verdict(world, group, id);
                why.or((!member.healthy).then_some(Why::UserHealth)).map(|why| (id.clone(), why))
            })
            .collect();
        replace(world, name, &sick);
    }
    balance::look(world, name);
    schedule(world, interval, Event::CheckHealth(name.to_owned(), born));
}

/// Notes since when EC2's status checks fail: those of instances in a lost zone do.
fn note_impaired(world: &mut World, name: &str) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    for member in group.members.values_mut() {
        let alive = world.ec2.zones.get(&member.zone).is_none_or(|zone| zone.alive);
        member.impaired = (!alive).then(|| member.impaired.unwrap_or(now));
    }
}

fn replace(world: &mut World, name: &str, sick: &[(String, Why)]) {
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    for (id, _) in sick {
        if let Some(member) = group.members.get_mut(id) {
            member.healthy = false;
        }
    }
    if !group.runs("ReplaceUnhealthy") || sick.is_empty() {
        return;
    }
    for (id, why) in sick {
        life::take_out(world, name, id, *why);
    }
    let refreshes = world
        .autoscaling
        .groups
        .get(name)
        .and_then(Group::active_refresh)
        .is_some_and(|refresh| refresh.status.replaces());
    if !refreshes {
        capacity::fill(world, name, Why::ElbHealth);
    }
}

/// Why an instance is unhealthy; none if it isn't. That it no longer runs is heard at once; failing
/// status checks and ELB's word (where the group listens to it) only once the grace period since
/// InService is over (user guide).
fn verdict(world: &World, group: &Group, id: &str) -> Option<Why> {
    let instance = world.ec2.instances.get(id);
    if instance.is_none_or(|instance| instance.state != InstanceState::Running) {
        return Some(Why::Ec2Health);
    }
    let member = group.members.get(id)?;
    if is_graced(group, member.in_service?, world.now) {
        return None;
    }
    let impaired = |since| elapsed(since, world.now) >= world.params.impaired;
    if member.impaired.is_some_and(impaired) {
        return Some(Why::Ec2Health);
    }
    let unhealthy =
        group.checks_elb() && states(world, group, id).any(|state| state == TargetState::Unhealthy);
    unhealthy.then_some(Why::ElbHealth)
}

/// Whether an instance in service since `since` is within the group's grace period.
pub(super) fn is_graced(group: &Group, since: Timestamp, now: Timestamp) -> bool {
    elapsed(since, now) < Duration::from_secs(group.grace)
}

/// Whether a refresh may count on an instance so far as load balancers go: no target group that checks
/// it finds it anything but healthy. `unused` is no objection (a guess: nobody has looked).
pub(super) fn balancers_agree(world: &World, group: &Group, id: &str) -> bool {
    !group.checks_elb()
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
