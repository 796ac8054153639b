//! Starts the lifecycle actions of an instance.

use std::time::Duration;

use super::super::activities;
use super::super::activity::ActivityStatus;
use super::super::group::LifecycleState;
use super::super::queue::schedule;
use super::super::state::Event;
use super::action::LifecycleAction;
use super::hook::{LifecycleHook, Transition};
use crate::world::{World, later};

/// Starts the lifecycle actions of a transition, all at once, and returns whether there were any.
pub(in crate::services::autoscaling) fn begin(
    world: &mut World,
    name: &str,
    id: &str,
    transition: Transition,
) -> bool {
    let Some(group) = world.autoscaling.groups.get(name) else { return false };
    let hooks: Vec<LifecycleHook> =
        group.hooks.values().filter(|hook| hook.transition == transition).cloned().collect();
    if hooks.is_empty() {
        return false;
    }
    let mut actions = Vec::new();
    for hook in hooks {
        let timeout = Duration::from_secs(hook.timeout);
        let token = world.ids.uuid();
        schedule(world, timeout, Event::HookTimeout(name.to_owned(), id.to_owned(), token.clone()));
        actions.push(LifecycleAction {
            token,
            deadline: later(world.now, timeout),
            last: later(world.now, Duration::from_secs(hook.longest())),
            timeout,
            default: hook.default,
            hook: hook.name,
        });
    }
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return false };
    let Some(member) = group.members.get_mut(id) else { return false };
    member.actions = actions;
    member.state = match transition {
        Transition::Launching => LifecycleState::PendingWait,
        Transition::Terminating => LifecycleState::TerminatingWait,
    };
    let activity = member.activity.clone();
    activities::set(group, &activity, ActivityStatus::MidLifecycleAction, now);
    true
}
