//! The target groups of a group.

use super::{Group, Lifecycle, invalid, max_records, named};
use crate::services::elbv2::{self, TargetState};
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// `AttachLoadBalancerTargetGroups`: instances in service are registered at once.
pub(super) fn attach(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arns = arns(input)?;
    let group = named(world, input)?;
    if group.active_refresh().is_some() {
        return Err(ApiError::sender(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks attaching target groups.",
        ));
    }
    let new: Vec<String> =
        arns.into_iter().filter(|arn| !group.target_groups.contains(arn)).collect();
    if group.target_groups.len() + new.len() > 50 {
        return Err(ApiError::sender(
            "LimitExceeded",
            "A group can have at most 50 target groups.",
        ));
    }
    let (name, members) = (group.name.clone(), registrable(group));
    if new.iter().any(|arn| !world.elbv2.target_groups.contains_key(arn)) {
        return Err(invalid(
            "Provided Target Groups may not be valid. Please ensure they exist and try again.",
        ));
    }
    if let Some(group) = world.autoscaling.groups.get_mut(&name) {
        group.target_groups.extend(new.iter().cloned());
    }
    for id in &members {
        register(world, &new, id);
    }
    Ok(map([]))
}

/// `DetachLoadBalancerTargetGroups`: the instances stay, and leave the target groups.
pub(super) fn detach(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arns = arns(input)?;
    let group = named(world, input)?;
    if let Some(foreign) = arns.iter().find(|arn| !group.target_groups.contains(arn)) {
        return Err(invalid(format!(
            "Trying to remove Target Groups that are not part of the group: {foreign}"
        )));
    }
    group.target_groups.retain(|arn| !arns.contains(arn));
    let members: Vec<String> = group.members.keys().cloned().collect();
    for arn in &arns {
        for id in &members {
            elbv2::deregister(world, arn, id);
        }
    }
    Ok(map([]))
}

/// `DescribeLoadBalancerTargetGroups`: `InService` with a healthy target, else `Added`.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let group = &*named(world, input)?;
    let (arns, members) = (group.target_groups.clone(), registrable(group));
    let items = arns
        .into_iter()
        .map(|arn| {
            let healthy = members
                .iter()
                .any(|id| elbv2::target_state(world, &arn, id) == Some(TargetState::Healthy));
            let state = if healthy { "InService" } else { "Added" };
            map([("LoadBalancerTargetGroupARN", arn.into()), ("State", state.into())])
        })
        .collect();
    let size = max_records(input, 100, 100)?;
    let (items, next) = page(items, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("LoadBalancerTargetGroups", items.into()), ("NextToken", next.into())]))
}

/// Registers an instance. A target group that doesn't take it is passed over, and the instance is in
/// service all the same (a guess).
pub(super) fn register(world: &mut World, target_groups: &[String], id: &str) {
    for target_group in target_groups {
        let _ = elbv2::register(world, target_group, id, None);
    }
}

fn arns(input: &Value) -> ApiResult<Vec<String>> {
    let arns = input.strings("TargetGroupARNs");
    if arns.is_empty() || arns.len() > 10 {
        return Err(invalid("Between 1 and 10 target groups are required"));
    }
    Ok(arns)
}

fn registrable(group: &Group) -> Vec<String> {
    group
        .members
        .iter()
        .filter(|(_, member)| member.state == Lifecycle::InService)
        .map(|(id, _)| id.clone())
        .collect()
}
