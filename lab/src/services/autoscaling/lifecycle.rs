//! The path of an instance into service and out of the group, including its lifecycle hooks.

use super::activity::ActivityStatus;
use super::cause::{self, Cause};
use super::group::{Group, LifecycleState};
use super::hooks::begin::begin;
use super::hooks::hook::Transition;
use super::queue::schedule;
use super::state::{DeletedGroup, Event};
use super::{activities, attachments};
use crate::services::{ec2, elbv2};
use crate::world::World;

/// Starts a launched instance and, once its launch hooks have let it pass, registers it. It is InService from
/// then on, whether or not the load balancer finds it healthy. Returns whether it was launched ahead, so that
/// the group now has one instance too many.
pub(super) fn in_service(world: &mut World, name: &str, id: &str) -> bool {
    let Some(group) = world.autoscaling.groups.get(name) else { return false };
    let Some(state) = group.members.get(id).map(|member| member.state) else { return false };
    match state {
        LifecycleState::Pending => {
            ec2::mark_running(world, id);
            !begin(world, name, id, Transition::Launching) && enter(world, name, id)
        }
        LifecycleState::PendingProceed => enter(world, name, id),
        _ => false,
    }
}

fn enter(world: &mut World, name: &str, id: &str) -> bool {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return false };
    let registers = group.is_process_active("AddToLoadBalancer");
    let Some(member) = group.members.get_mut(id) else { return false };
    member.state = LifecycleState::InService;
    member.in_service = Some(now);
    let was_ahead = std::mem::take(&mut member.launched_ahead);
    let activity = member.activity.clone();
    activities::set(group, &activity, ActivityStatus::Successful, now);
    let target_groups = group.target_groups.clone();
    if registers {
        attachments::register(world, &target_groups, id);
    }
    was_ahead
}

/// Removes an instance: it leaves its target groups, drains, passes its termination hooks, and terminates.
pub(super) fn begin_termination(world: &mut World, name: &str, id: &str, why: Cause) {
    let now = world.now;
    // A user's request, and a launch that a hook abandons, proceed even while Terminate is suspended (a
    // guess).
    let bidden = matches!(why, Cause::User | Cause::Abandoned);
    let allowed = |g: &&mut Group| g.is_process_active("Terminate") || g.deleting || bidden;
    let Some(group) = world.autoscaling.groups.get_mut(name).filter(allowed) else { return };
    let cause = cause::of_leaving(group, why, now);
    let Some(member) = group.members.get_mut(id).filter(|m| !m.state.is_leaving()) else { return };
    member.state = LifecycleState::Terminating;
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
    check_deregistration(world, name, id);
}

/// Polls until no target group knows a departing instance any more; then the instance enters standby, is
/// detached, or continues its termination.
pub(super) fn check_deregistration(world: &mut World, name: &str, id: &str) {
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let Some(member) = group.members.get(id) else { return };
    let state = member.state;
    let moving =
        [LifecycleState::Terminating, LifecycleState::Detaching, LifecycleState::EnteringStandby]
            .contains(&state);
    let drains = group
        .target_groups
        .iter()
        .any(|target_group| elbv2::target_state(world, target_group, id).is_some());
    if !moving {
        return;
    }
    if drains {
        let look = world.params.drain_poll;
        schedule(world, look, Event::CheckDeregistration(name.to_owned(), id.to_owned()));
        return;
    }
    match state {
        LifecycleState::EnteringStandby => {
            let now = world.now;
            if let Some(group) = world.autoscaling.groups.get_mut(name)
                && let Some(member) = group.members.get_mut(id)
            {
                member.state = LifecycleState::Standby;
                let activity = member.activity.clone();
                activities::set(group, &activity, ActivityStatus::Successful, now);
            }
        }
        LifecycleState::Detaching => gone(world, name, id),
        _ if group.deleting => end(world, name, id),
        _ => {
            if !begin(world, name, id, Transition::Terminating) {
                end(world, name, id);
            }
        }
    }
}

/// Terminates an instance that has drained and passed its hooks.
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
    schedule(world, delay, Event::Terminated(name.to_owned(), id.to_owned()));
}

/// Removes an instance from the group; a group that is being deleted disappears with its last instance.
pub(super) fn gone(world: &mut World, name: &str, id: &str) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    if let Some(member) = group.members.remove(id) {
        activities::set(group, &member.activity, ActivityStatus::Successful, now);
    }
    remove_if_deleted(world, name);
}

/// Removes a group that is being deleted and has no instances left.
pub(super) fn remove_if_deleted(world: &mut World, name: &str) {
    let ended = |group: &Group| group.deleting && group.members.is_empty();
    if world.autoscaling.groups.get(name).is_some_and(ended)
        && let Some(group) = world.autoscaling.groups.remove(name)
    {
        world.autoscaling.former.push(DeletedGroup::of(group));
    }
}
