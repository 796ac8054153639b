//! An instance's way into service and out of the group, with the hooks on either.

use super::activities::{self, ActivityStatus};
use super::cause::{self, Why};
use super::hooks::{self, Transition};
use super::{Event, Group, Lifecycle, attachments, capacity, schedule};
use crate::services::{ec2, elbv2};
use crate::world::World;

/// A launched instance runs; once the hooks of its launch have let it pass it is registered, and with
/// that in service: InService says nothing of the load balancer finding it healthy.
pub(super) fn in_service(world: &mut World, name: &str, id: &str) {
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let Some(state) = group.members.get(id).map(|member| member.state) else { return };
    match state {
        Lifecycle::Pending => {
            ec2::run(world, id);
            if !hooks::begin(world, name, id, Transition::Launching) {
                enter(world, name, id);
            }
        }
        Lifecycle::PendingProceed => enter(world, name, id),
        _ => {}
    }
}

fn enter(world: &mut World, name: &str, id: &str) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    let registers = group.runs("AddToLoadBalancer");
    let Some(member) = group.members.get_mut(id) else { return };
    member.state = Lifecycle::InService;
    member.in_service = Some(now);
    let was_ahead = std::mem::take(&mut member.ahead);
    let activity = member.activity.clone();
    activities::set(group, &activity, ActivityStatus::Successful, now);
    let target_groups = group.target_groups.clone();
    if registers {
        attachments::register(world, &target_groups, id);
    }
    if was_ahead {
        capacity::converge(world, name);
    }
}

/// Takes an instance out: it leaves its target groups, drains, passes the hooks of its termination,
/// and ends.
pub(super) fn take_out(world: &mut World, name: &str, id: &str, why: Why) {
    let now = world.now;
    // What a person asks for, or a hook abandons, goes with Terminate suspended too (a guess).
    let bidden = matches!(why, Why::User | Why::Abandoned);
    let allowed = |g: &&mut Group| g.runs("Terminate") || g.deleting || bidden;
    let Some(group) = world.autoscaling.groups.get_mut(name).filter(allowed) else { return };
    let cause = cause::of_leaving(group, why, now);
    let Some(member) = group.members.get_mut(id).filter(|m| !m.state.is_leaving()) else { return };
    member.state = Lifecycle::Terminating;
    member.actions.clear();
    let zone = member.zone.clone();
    let target_groups = group.target_groups.clone();
    let subnet = world.ec2.instances.get(id).map(|i| i.subnet.clone()).unwrap_or_default();
    let description = format!("Terminating EC2 instance: {id}");
    let activity = activities::begin(world, name, description, cause, (&subnet, &zone));
    for target_group in &target_groups {
        elbv2::deregister(world, target_group, id);
    }
    if let Some(group) = world.autoscaling.groups.get_mut(name) {
        if !target_groups.is_empty() {
            activities::set(group, &activity, ActivityStatus::Draining, now);
        }
        if let Some(member) = group.members.get_mut(id) {
            member.activity = activity;
        }
    }
    deregistered(world, name, id);
}

/// What leaves its target groups is looked at until none knows it any more: then it is set aside, or
/// detached, or its termination goes on.
pub(super) fn deregistered(world: &mut World, name: &str, id: &str) {
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let Some(member) = group.members.get(id) else { return };
    let state = member.state;
    let moving =
        [Lifecycle::Terminating, Lifecycle::Detaching, Lifecycle::EnteringStandby].contains(&state);
    let drains = group
        .target_groups
        .iter()
        .any(|target_group| elbv2::target_state(world, target_group, id).is_some());
    if !moving {
        return;
    }
    if drains {
        let look = world.params.drain_look;
        schedule(world, look, Event::Deregistered(name.to_owned(), id.to_owned()));
        return;
    }
    match state {
        Lifecycle::EnteringStandby => {
            let now = world.now;
            if let Some(group) = world.autoscaling.groups.get_mut(name)
                && let Some(member) = group.members.get_mut(id)
            {
                member.state = Lifecycle::Standby;
                let activity = member.activity.clone();
                activities::set(group, &activity, ActivityStatus::Successful, now);
            }
        }
        Lifecycle::Detaching => gone(world, name, id),
        _ if group.deleting => end(world, name, id),
        _ => {
            if !hooks::begin(world, name, id, Transition::Terminating) {
                end(world, name, id);
            }
        }
    }
}

/// Ends an instance that has left everything behind.
pub(super) fn end(world: &mut World, name: &str, id: &str) {
    let now = world.now;
    if let Some(group) = world.autoscaling.groups.get_mut(name)
        && let Some(member) = group.members.get_mut(id)
    {
        let activity = member.activity.clone();
        activities::set(group, &activity, ActivityStatus::InProgress, now);
    }
    ec2::terminate(world, id);
    let delay = world.params.terminate;
    schedule(world, delay, Event::Gone(name.to_owned(), id.to_owned()));
}

/// An instance is no longer the group's; a group that was being deleted goes with its last.
pub(super) fn gone(world: &mut World, name: &str, id: &str) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    if let Some(member) = group.members.remove(id) {
        activities::set(group, &member.activity, ActivityStatus::Successful, now);
    }
    remove_if_deleted(world, name);
}

/// Removes a group that is being deleted and has no instance left.
pub(super) fn remove_if_deleted(world: &mut World, name: &str) {
    let ended = |group: &Group| group.deleting && group.members.is_empty();
    if world.autoscaling.groups.get(name).is_some_and(ended)
        && let Some(group) = world.autoscaling.groups.remove(name)
    {
        world.autoscaling.former.push(activities::Former::of(group));
    }
}
