//! How many instances a group has, and which ones come and go.

use super::activities::stamp;
use super::cause::Why;
use super::{Event, Status, invalid, lasting, launch, life, schedule, victim};
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::World;

/// `SetDesiredCapacity`: within the group's bounds, or refused.
pub(super) fn set_desired(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (at, now) = (stamp(world.now), world.now);
    let group = lasting(world, input)?;
    let honours = input.bool("HonorCooldown").unwrap_or(false);
    if honours && group.cooling.is_some_and(|until| until > now) {
        return Err(cooling(&group.name));
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
    // A change of the group tries again at once (a guess).
    group.backoff = Default::default();
    let name = group.name.clone();
    converge_soon(world, &name);
    Ok(Value::Null)
}

/// The refusal while a cooldown is honoured.
pub(super) fn cooling(name: &str) -> ApiError {
    ApiError::sender(
        "ScalingActivityInProgress",
        format!(
            "Auto Scaling Group {name} is in its cooldown period: no scaling activity is started."
        ),
    )
}

/// Reads a capacity: a whole number of 32 bits (API model), not below zero.
pub(super) fn number(input: &Value, key: &str) -> ApiResult<Option<u64>> {
    match (input.get(key).is_null(), input.int(key).map(u64::try_from)) {
        (true, _) => Ok(None),
        (false, Some(Ok(number))) if number <= i32::MAX as u64 => Ok(Some(number)),
        _ => Err(invalid(format!("{key} must be a whole number that is not negative"))),
    }
}

/// Brings the group to its desired capacity after the usual delay.
pub(super) fn converge_soon(world: &mut World, name: &str) {
    let delay = world.params.scale_delay;
    schedule(world, delay, Event::Converge(name.to_owned()));
}

/// Brings the group to its desired capacity: launches what is missing, takes out what is too many.
/// While a refresh replaces instances, it does this itself.
pub(super) fn converge(world: &mut World, name: &str) {
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let refreshes = group.active_refresh().is_some_and(|refresh| {
        matches!(refresh.status, Status::InProgress | Status::RollbackInProgress)
    });
    if !refreshes {
        fill(world, name, Why::Capacity);
        scale_in(world, name, Why::Capacity);
    }
}

/// Launches what is missing.
pub(super) fn fill(world: &mut World, name: &str, why: Why) {
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let missing = group.desired.saturating_sub(group.live().count() as u64);
    for _ in 0..missing {
        if !launch::launch(world, name, why) {
            return;
        }
    }
}

/// Takes out what is too many. An instance that was launched ahead is not too many before it is in
/// service.
pub(super) fn scale_in(world: &mut World, name: &str, why: Why) {
    loop {
        let Some(group) = world.autoscaling.groups.get(name) else { return };
        let counted = group.live().filter(|(_, member)| !member.ahead).count() as u64;
        if counted <= group.desired || !group.runs("Terminate") {
            return;
        }
        let Some(victim) = victim::choose(group, world.now) else { return };
        life::take_out(world, name, &victim, why);
    }
}
