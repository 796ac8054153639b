//! The capacity of a group: launching and terminating instances to match it.

use super::activities::stamp;
use super::cause::Cause;
use super::errors::invalid;
use super::queue::schedule;
use super::refresh::instance_refresh::Status;
use super::request::group_to_update;
use super::state::Event;
use super::{launch, lifecycle, termination_policy};
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::World;

/// `SetDesiredCapacity`: refused outside of MinSize and MaxSize.
pub(super) fn set_desired(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (at, now) = (stamp(world.now), world.now);
    let group = group_to_update(world, input)?;
    let honours = input.bool("HonorCooldown").unwrap_or(false);
    if honours && group.cooldown_until.is_some_and(|until| until > now) {
        return Err(cooldown_error(&group.name));
    }
    let desired = number(input, "DesiredCapacity")?
        .ok_or_else(|| invalid("The parameter DesiredCapacity is required"))?;
    if desired > group.max {
        return Err(invalid(format!(
            "New SetDesiredCapacity value {desired} is above max value {} for the AutoScalingGroup.",
            group.max
        )));
    }
    if desired < group.min {
        return Err(invalid(format!(
            "New SetDesiredCapacity value {desired} is below min value {} for the AutoScalingGroup.",
            group.min
        )));
    }
    if group.desired != desired {
        group.reason = Some(format!(
            "At {at} a user request explicitly set group desired capacity changing the desired capacity from {} to {desired}.",
            group.desired
        ));
        group.desired = desired;
    }
    // A change of the group retries failed launches at once (a guess).
    group.backoff = Default::default();
    let name = group.name.clone();
    converge_soon(world, &name);
    Ok(Value::Null)
}

/// The error during a cooldown that the call honors.
pub(super) fn cooldown_error(name: &str) -> ApiError {
    ApiError::sender(
        "ScalingActivityInProgress",
        format!(
            "Auto Scaling Group {name} is in its cooldown period: no scaling activity is started."
        ),
    )
}

/// Reads a capacity: a nonnegative integer of 32 bits (API model).
pub(super) fn number(input: &Value, key: &str) -> ApiResult<Option<u64>> {
    match (input.get(key).is_null(), input.int(key).map(u64::try_from)) {
        (true, _) => Ok(None),
        (false, Some(Ok(number))) if number <= i32::MAX as u64 => Ok(Some(number)),
        _ => Err(invalid(format!("{key} must be a whole number that is not negative"))),
    }
}

/// Brings the group to its DesiredCapacity after the usual delay.
pub(super) fn converge_soon(world: &mut World, name: &str) {
    let delay = world.params.scale_delay;
    schedule(world, delay, Event::Converge(name.to_owned()));
}

/// Brings the group to its DesiredCapacity: launches missing instances and terminates surplus ones. A refresh
/// that is replacing instances does this itself.
pub(super) fn converge(world: &mut World, name: &str) {
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let refreshes = group.active_refresh().is_some_and(|refresh| {
        matches!(refresh.status, Status::InProgress | Status::RollbackInProgress)
    });
    if !refreshes {
        launch_missing(world, name, Cause::Capacity);
        scale_in(world, name, Cause::Capacity);
    }
}

/// Launches the missing instances.
pub(super) fn launch_missing(world: &mut World, name: &str, why: Cause) {
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let missing = group.desired.saturating_sub(group.live().count() as u64);
    for _ in 0..missing {
        if !launch::launch(world, name, why) {
            return;
        }
    }
}

/// Terminates surplus instances. An instance that was launched ahead doesn't count as surplus before it is in
/// service.
pub(super) fn scale_in(world: &mut World, name: &str, why: Cause) {
    loop {
        let Some(group) = world.autoscaling.groups.get(name) else { return };
        let counted = group.live().filter(|(_, member)| !member.launched_ahead).count() as u64;
        if counted <= group.desired || !group.is_process_active("Terminate") {
            return;
        }
        let Some(victim) = termination_policy::choose(group, world.now) else { return };
        lifecycle::begin_termination(world, name, &victim, why);
    }
}
