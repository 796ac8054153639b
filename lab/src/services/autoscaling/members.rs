//! What a person does to single instances of a group.

use super::activities::stamp;
use super::cause::Why;
use super::{Group, Lifecycle, activities, attachments, capacity, invalid, life, named};
use crate::services::elbv2;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// `TerminateInstanceInAutoScalingGroup`: with or without lowering the desired capacity.
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
        .ok_or_else(|| {
            invalid(format!(
                "Instance Id not found - No managed instance found for instance ID: {id}"
            ))
        })?;
    if lowers {
        if group.desired <= group.min {
            return Err(invalid(format!(
                "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate group's min size constraint.",
                group.min
            )));
        }
        group.desired -= 1;
    }
    let name = group.name.clone();
    life::take_out(world, &name, id, Why::User);
    capacity::converge_soon(world, &name);
    let activity =
        world.autoscaling.groups.get(&name).and_then(|group| {
            group.activities.last().map(|last| activities::to_value(group, last))
        });
    Ok(map([("Activity", activity.unwrap_or(Value::Null))]))
}

/// `SetInstanceProtection`.
pub(super) fn set_protection(world: &mut World, input: &Value) -> ApiResult<Value> {
    let protected = input
        .bool("ProtectedFromScaleIn")
        .ok_or_else(|| invalid("The parameter ProtectedFromScaleIn is required"))?;
    let ids = input.strings("InstanceIds");
    let group = named(world, input)?;
    all_in(group, &ids)?;
    for id in &ids {
        if let Some(member) = group.members.get_mut(id) {
            member.protected = protected;
        }
    }
    Ok(map([]))
}

/// `SetInstanceHealth`: the next health check replaces what is set unhealthy.
pub(super) fn set_health(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = input.need_str("InstanceId")?;
    let healthy = match input.need_str("HealthStatus")? {
        "Healthy" => true,
        "Unhealthy" => false,
        other => return Err(invalid(format!("{other} is not a valid health status"))),
    };
    let member = world
        .autoscaling
        .groups
        .values_mut()
        .find_map(|group| group.members.get_mut(id))
        .ok_or_else(|| invalid(format!("Instance Id not found - {id}")))?;
    member.healthy = healthy;
    Ok(Value::Null)
}

/// `EnterStandby`: the instance leaves its target groups and the desired capacity, not the group.
pub(super) fn enter_standby(world: &mut World, input: &Value) -> ApiResult<Value> {
    let lowers = input.bool("ShouldDecrementDesiredCapacity").unwrap_or(true);
    let ids = input.strings("InstanceIds");
    let group = named(world, input)?;
    all_in(group, &ids)?;
    let count = ids.len() as u64;
    if lowers && group.desired.saturating_sub(count) < group.min {
        return Err(invalid("Desired capacity would fall below the minimum size of the group"));
    }
    if lowers {
        group.desired -= count;
    }
    for id in &ids {
        if let Some(member) = group.members.get_mut(id) {
            member.state = Lifecycle::Standby;
        }
    }
    let (name, target_groups) = (group.name.clone(), group.target_groups.clone());
    for target_group in &target_groups {
        for id in &ids {
            elbv2::deregister(world, target_group, id);
        }
    }
    capacity::converge_soon(world, &name);
    Ok(map([("Activities", Value::List(Vec::new()))]))
}

/// `ExitStandby`: the instance comes back into service and raises the desired capacity.
pub(super) fn exit_standby(world: &mut World, input: &Value) -> ApiResult<Value> {
    let now = world.now;
    let ids = input.strings("InstanceIds");
    let group = named(world, input)?;
    all_in(group, &ids)?;
    if group.desired + ids.len() as u64 > group.max {
        return Err(invalid("Desired capacity would rise above the maximum size of the group"));
    }
    group.desired += ids.len() as u64;
    group.reason = Some(format!("At {} instances were moved out of standby.", stamp(now)));
    for id in &ids {
        if let Some(member) = group.members.get_mut(id) {
            member.state = Lifecycle::InService;
            member.in_service = Some(now);
        }
    }
    let target_groups = group.target_groups.clone();
    for id in &ids {
        attachments::register(world, &target_groups, id);
    }
    Ok(map([("Activities", Value::List(Vec::new()))]))
}

fn all_in(group: &Group, ids: &[String]) -> ApiResult<()> {
    match ids.iter().find(|id| !group.members.contains_key(*id)) {
        Some(id) => Err(invalid(format!(
            "The instance {id} is not part of Auto Scaling group {}.",
            group.name
        ))),
        None => Ok(()),
    }
}
