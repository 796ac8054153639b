//! Lifecycle actions: an instance waits for a hook to complete.

use super::super::errors::invalid;
use super::super::group::LifecycleState;
use super::super::queue::schedule;
use super::super::request::named;
use super::super::state::Event;
use super::hook::ActionResult;
use crate::services::autoscaling::cause::Cause;
use crate::services::autoscaling::{activities, capacity, lifecycle};
use crate::wire::{ApiResult, Value, map};
use crate::world::{World, elapsed, later};

/// `CompleteLifecycleAction`.
pub(in crate::services::autoscaling) fn complete(
    world: &mut World,
    input: &Value,
) -> ApiResult<Value> {
    let verdict = ActionResult::read(input.need_str("LifecycleActionResult")?)?;
    let (name, id, token) = find(world, input)?;
    let reported = format!("was completed with {} Result", verdict.name());
    conclude(world, &name, &id, &token, verdict, &reported);
    Ok(map([]))
}

/// `RecordLifecycleActionHeartbeat`: restarts the timeout, up to the global one.
pub(in crate::services::autoscaling) fn heartbeat(
    world: &mut World,
    input: &Value,
) -> ApiResult<Value> {
    let now = world.now;
    let (name, id, token) = find(world, input)?;
    let member = world.autoscaling.groups.get_mut(&name).and_then(|g| g.members.get_mut(&id));
    if let Some(action) = member.and_then(|m| m.actions.iter_mut().find(|a| a.token == token)) {
        action.deadline = later(now, action.timeout).min(action.last);
        let wait = elapsed(now, action.deadline);
        schedule(world, wait, Event::HookTimeout(name, id, token));
    }
    Ok(map([]))
}

/// Handles the timeout of an action, unless a heartbeat has extended it.
pub(in crate::services::autoscaling) fn time_out(
    world: &mut World,
    name: &str,
    id: &str,
    token: &str,
) {
    let member = world.autoscaling.groups.get(name).and_then(|group| group.members.get(id));
    let action = member.and_then(|member| member.actions.iter().find(|a| a.token == token));
    if let Some(default) = action.filter(|a| a.deadline <= world.now).map(|a| a.default) {
        conclude(world, name, id, token, default, "was abandoned: Heartbeat Timeout");
    }
}

/// Completes every action of a deleted hook.
pub(super) fn conclude_all(world: &mut World, name: &str, hook: &str, verdict: ActionResult) {
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let waiting: Vec<(String, String)> = group
        .members
        .iter()
        .flat_map(|(id, member)| member.actions.iter().map(move |action| (id, action)))
        .filter(|(_, action)| action.hook == hook)
        .map(|(id, action)| (id.clone(), action.token.clone()))
        .collect();
    for (id, token) in waiting {
        conclude(world, name, &id, &token, verdict, "was abandoned: its Lifecycle Hook is deleted");
    }
}

/// Completes one action. The instance proceeds once it waits for no other; an abandoned launch is terminated
/// and replaced.
fn conclude(
    world: &mut World,
    name: &str,
    id: &str,
    token: &str,
    verdict: ActionResult,
    reported: &str,
) {
    let now = world.now;
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    let Some(member) = group.members.get_mut(id) else { return };
    let launching = member.state == LifecycleState::PendingWait;
    member.actions.retain(|action| action.token != token);
    if verdict == ActionResult::Abandon {
        member.actions.clear();
    }
    if !member.actions.is_empty() {
        return;
    }
    let activity = member.activity.clone();
    if !launching {
        member.state = LifecycleState::TerminatingProceed;
        lifecycle::end(world, name, id);
        return;
    }
    if verdict == ActionResult::Continue {
        member.state = LifecycleState::PendingProceed;
        let delay = world.params.proceed;
        schedule(world, delay, Event::InService(name.to_owned(), id.to_owned()));
        return;
    }
    let message = format!(
        "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {token} {reported}"
    );
    activities::fail(group, &activity, message, now);
    lifecycle::begin_termination(world, name, id, Cause::Abandoned);
    capacity::converge_soon(world, name);
}

/// Returns the action that a request names by token or instance: group, instance and token.
fn find(world: &mut World, input: &Value) -> ApiResult<(String, String, String)> {
    let hook = input.need_str("LifecycleHookName")?;
    let group = &*named(world, input)?;
    let (token, instance) = (input.str("LifecycleActionToken"), input.str("InstanceId"));
    if token.is_none() && instance.is_none() {
        return Err(invalid("Either LifecycleActionToken or InstanceId must be provided"));
    }
    group
        .members
        .iter()
        .filter(|(id, _)| instance.is_none_or(|wanted| wanted == id.as_str()))
        .flat_map(|(id, member)| member.actions.iter().map(move |action| (id, action)))
        .find(|(_, action)| action.hook == hook && token.is_none_or(|t| t == action.token))
        .map(|(id, action)| (group.name.clone(), id.clone(), action.token.clone()))
        .ok_or_else(|| {
            invalid(match (token, instance) {
                (Some(token), _) => format!("No active Lifecycle Action found with token {token}"),
                (None, instance) => format!(
                    "No active Lifecycle Action found with instance ID {}",
                    instance.unwrap_or_default()
                ),
            })
        })
}
