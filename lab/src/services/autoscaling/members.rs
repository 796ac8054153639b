//! Operations on single instances of a group: terminate, protect, set health.

use super::cause::Cause;
use super::errors::invalid;
use super::group::{Group, Member};
use super::request::named;
use super::{activities, capacity, health, lifecycle};
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// The most instances in one call (API model).
const PER_CALL: usize = 50;

/// `TerminateInstanceInAutoScalingGroup`, with or without lowering DesiredCapacity.
pub(super) fn terminate(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = input.need_str("InstanceId")?;
    let lowers = input
        .bool("ShouldDecrementDesiredCapacity")
        .ok_or_else(|| invalid("The parameter ShouldDecrementDesiredCapacity is required"))?;
    let group = world
        .autoscaling
        .groups
        .values_mut()
        .find(|group| group.members.contains_key(id))
        .ok_or_else(|| no_instance(id))?;
    let counts = group.members.get(id).is_some_and(Member::counts_toward_capacity);
    if lowers && counts {
        if group.desired <= group.min {
            return Err(invalid(format!(
                "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
                group.min
            )));
        }
        group.desired -= 1;
    }
    let name = group.name.clone();
    lifecycle::begin_termination(world, &name, id, Cause::User);
    capacity::converge_soon(world, &name);
    let activity = world.autoscaling.groups.get(&name).and_then(|group| {
        let activity = &group.members.get(id)?.activity;
        let last = group.activities.iter().rev().find(|a| a.id == *activity)?;
        Some(activities::to_value(group, last))
    });
    Ok(map([("Activity", activity.unwrap_or(Value::Null))]))
}

/// `SetInstanceProtection`.
pub(super) fn set_protection(world: &mut World, input: &Value) -> ApiResult<Value> {
    let protected = input
        .bool("ProtectedFromScaleIn")
        .ok_or_else(|| invalid("The parameter ProtectedFromScaleIn is required"))?;
    let ids = ids(input)?;
    let group = named(world, input)?;
    all_in(group, &ids)?;
    for id in &ids {
        if let Some(member) = group.members.get_mut(id) {
            member.protected = protected;
        }
    }
    Ok(map([]))
}

/// `SetInstanceHealth`: the next health check replaces an instance that was set unhealthy. Within the grace
/// period the call is ignored, unless it says otherwise (API model: `ShouldRespectGracePeriod`).
pub(super) fn set_health(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = input.need_str("InstanceId")?;
    let now = world.now;
    let healthy = match input.need_str("HealthStatus")? {
        "Healthy" => true,
        "Unhealthy" => false,
        other => return Err(invalid(format!("{other} is not a valid health status"))),
    };
    let respects = input.bool("ShouldRespectGracePeriod").unwrap_or(true);
    let group = world
        .autoscaling
        .groups
        .values_mut()
        .find(|group| group.members.contains_key(id))
        .ok_or_else(|| no_instance(id))?;
    let since = group.members.get(id).and_then(|member| member.in_service);
    let graced = respects && since.is_some_and(|since| health::is_graced(group, since, now));
    if let Some(member) = group.members.get_mut(id)
        && (healthy || !graced)
    {
        member.healthy = healthy;
    }
    Ok(Value::Null)
}

/// Returns the instances that a call names, without duplicates (a guess: AWS doesn't document them).
pub(super) fn ids(input: &Value) -> ApiResult<Vec<String>> {
    let ids = input.unique_strings("InstanceIds");
    if ids.len() > PER_CALL {
        return Err(invalid(format!("At most {PER_CALL} instances can be given in one call")));
    }
    Ok(ids)
}

/// Refuses instances that do not belong to the group.
pub(super) fn all_in(group: &Group, ids: &[String]) -> ApiResult<()> {
    match ids.iter().find(|id| !group.members.contains_key(*id)) {
        Some(id) => Err(invalid(format!(
            "The instance {id} is not part of Auto Scaling group {}.",
            group.name
        ))),
        None => Ok(()),
    }
}

fn no_instance(id: &str) -> crate::wire::ApiError {
    invalid(format!("Instance Id not found - No managed instance found for instance ID: {id}"))
}
