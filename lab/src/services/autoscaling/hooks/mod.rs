//! Lifecycle hooks: what instances wait for while they launch and terminate.

pub(crate) mod action;
mod actions;
pub(super) mod begin;
pub(super) mod hook;
#[cfg(test)]
mod tests;

use super::errors::invalid;
use super::group::Group;
use super::request::named;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;
use hook::{ActionResult, LifecycleHook, Transition};

pub use action::LifecycleAction;

pub(super) use actions::{complete, heartbeat, time_out};

/// The most hooks of a group (quota).
const QUOTA: usize = 50;

/// Adds a hook to a group, within the quota.
pub(super) fn add(group: &mut Group, input: &Value) -> ApiResult<()> {
    let hook = LifecycleHook::read(
        input,
        input.str("LifecycleHookName").and_then(|n| group.hooks.get(n)),
    )?;
    if group.hooks.len() >= QUOTA && !group.hooks.contains_key(&hook.name) {
        return Err(ApiError::sender(
            "LimitExceeded",
            format!("A group can have at most {QUOTA} lifecycle hooks."),
        ));
    }
    group.hooks.insert(hook.name.clone(), hook);
    Ok(())
}

/// `PutLifecycleHook`: creates or updates by name. Instances that are already waiting keep their timeout.
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    add(named(world, input)?, input)?;
    Ok(map([]))
}

/// `DescribeLifecycleHooks`, without paging (API model).
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let names = input.strings("LifecycleHookNames");
    let group = &*named(world, input)?;
    let hooks = group
        .hooks
        .values()
        .filter(|hook| names.is_empty() || names.contains(&hook.name))
        .map(|hook| hook.to_value(&group.name))
        .collect::<Vec<_>>();
    Ok(map([("LifecycleHooks", hooks.into())]))
}

/// `DeleteLifecycleHook`: terminating instances that wait for it proceed; launches are abandoned (API model).
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let hook = input.need_str("LifecycleHookName")?;
    let group = named(world, input)?;
    let Some(deleted) = group.hooks.remove(hook) else {
        return Err(invalid(format!("No Lifecycle Hook found with name {hook}")));
    };
    let name = group.name.clone();
    let verdict = match deleted.transition {
        Transition::Launching => ActionResult::Abandon,
        Transition::Terminating => ActionResult::Continue,
    };
    actions::conclude_all(world, &name, hook, verdict);
    Ok(map([]))
}

/// `DescribeLifecycleHookTypes`.
pub(super) fn types() -> Value {
    let names = Transition::NAMES.iter().map(|(name, _)| (*name).into()).collect::<Vec<Value>>();
    map([("LifecycleHookTypes", names.into())])
}
