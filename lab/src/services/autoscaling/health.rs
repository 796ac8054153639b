//! Health checks of a group's instances, and the replacement of unhealthy ones.

use std::time::Duration;

use super::life::{self, Why};
use super::{Event, Group, Lifecycle, capacity, schedule};
use crate::services::ec2::InstanceState;
use crate::services::elbv2::{self, TargetState};
use crate::world::{World, elapsed};

/// Checks every instance in service, replaces those found unhealthy, and schedules the next check.
pub(super) fn check(world: &mut World, name: &str) {
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let interval = world.params.health_check;
    if group.runs("HealthCheck") {
        let sick: Vec<(String, Why)> = group
            .members
            .iter()
            .filter(|(_, member)| member.state == Lifecycle::InService)
            .filter_map(|(id, member)| {
                let why = verdict(world, group, id);
                why.or((!member.healthy).then_some(Why::Ec2Health)).map(|why| (id.clone(), why))
            })
            .collect();
        replace(world, name, &sick);
    }
    schedule(world, interval, Event::CheckHealth(name.to_owned()));
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

/// Why an instance is unhealthy; none if it isn't. ELB's word counts only where the group listens to
/// it, and once the grace period since InService is over.
fn verdict(world: &World, group: &Group, id: &str) -> Option<Why> {
    let runs = world.ec2.instances.get(id).is_some_and(|instance| {
        instance.state == InstanceState::Running
            && world.ec2.zones.get(&instance.zone).is_none_or(|zone| zone.alive)
    });
    if !runs {
        return Some(Why::Ec2Health);
    }
    let since = group.members.get(id).and_then(|member| member.in_service)?;
    let graced = elapsed(since, world.now) < Duration::from_secs(group.grace);
    let unhealthy = group.checks_elb()
        && !graced
        && states(world, group, id).any(|state| state == TargetState::Unhealthy);
    unhealthy.then_some(Why::ElbHealth)
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
