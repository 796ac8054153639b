//! The target groups of a group, through their own operations and as traffic sources. Classic Load Balancers
//! and VPC Lattice are not simulated: they are refused as nonexistent.

use jiff::Timestamp;

use super::errors::invalid;
use super::group::{Group, LifecycleState};
use super::request::{max_records, named, refuse_during_refresh};
use crate::services::elbv2::{self, TargetState};
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{World, later};

/// The most target groups of a group (quota).
const QUOTA: usize = 50;

/// `AttachLoadBalancerTargetGroups`: instances in service are registered at once.
pub(super) fn attach(world: &mut World, input: &Value) -> ApiResult<Value> {
    add(world, input, arns(input)?)
}

/// `DetachLoadBalancerTargetGroups`: the instances stay in the group and are deregistered.
pub(super) fn detach(world: &mut World, input: &Value) -> ApiResult<Value> {
    remove(world, input, &arns(input)?)
}

/// `DescribeLoadBalancerTargetGroups`.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let items = states(world, input)?
        .into_iter()
        .map(|(arn, state)| {
            map([("LoadBalancerTargetGroupARN", arn.into()), ("State", state.into())])
        })
        .collect();
    let size = max_records(input, 100, 100)?;
    let (items, next) = page(items, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("LoadBalancerTargetGroups", items.into()), ("NextToken", next.into())]))
}

/// `AttachTrafficSources`.
pub(super) fn attach_sources(world: &mut World, input: &Value) -> ApiResult<Value> {
    add(world, input, sources(input)?)
}

/// `DetachTrafficSources`.
pub(super) fn detach_sources(world: &mut World, input: &Value) -> ApiResult<Value> {
    remove(world, input, &sources(input)?)
}

/// `DescribeTrafficSources`, of one type if one is given.
pub(super) fn describe_sources(world: &mut World, input: &Value) -> ApiResult<Value> {
    let wanted = input.str("TrafficSourceType").is_none_or(|kind| kind == "elbv2");
    let items = states(world, input)?
        .into_iter()
        .filter(|_| wanted)
        .map(|(arn, state)| {
            map([
                ("TrafficSource", arn.as_str().into()),
                ("State", state.into()),
                ("Identifier", arn.as_str().into()),
                ("Type", "elbv2".into()),
            ])
        })
        .collect();
    let size = max_records(input, 50, 50)?;
    let (items, next) = page(items, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("TrafficSources", items.into()), ("NextToken", next.into())]))
}

/// Attaches the target groups of a new group.
pub(super) fn attach_first(world: &mut World, input: &Value) -> ApiResult<()> {
    if let Some(name) = input.strings("LoadBalancerNames").first() {
        return Err(invalid(format!(
            "Provided Load Balancers may not be valid. Please ensure they exist and try again. ({name})"
        )));
    }
    if !input.list("TargetGroupARNs").is_empty() {
        attach(world, input)?;
    }
    if !input.list("TrafficSources").is_empty() {
        attach_sources(world, input)?;
    }
    Ok(())
}

fn add(world: &mut World, input: &Value, arns: Vec<String>) -> ApiResult<Value> {
    let now = world.now;
    let group = named(world, input)?;
    refuse_during_refresh(group, "attaching target groups")?;
    let new: Vec<String> =
        arns.into_iter().filter(|arn| !group.target_groups.contains(arn)).collect();
    if group.target_groups.len() + new.len() > QUOTA {
        return Err(ApiError::sender(
            "LimitExceeded",
            format!("A group can have at most {QUOTA} target groups."),
        ));
    }
    let (name, members) = (group.name.clone(), registrable(group));
    if new.iter().any(|arn| !world.elbv2.target_groups.contains_key(arn)) {
        return Err(invalid(
            "Provided Target Groups may not be valid. Please ensure they exist and try again.",
        ));
    }
    if let Some(group) = world.autoscaling.groups.get_mut(&name) {
        group.detached.retain(|arn, _| !new.contains(arn));
        group.attached.extend(new.iter().map(|arn| (arn.clone(), now)));
        group.target_groups.extend(new.iter().cloned());
    }
    for id in &members {
        register(world, &new, id);
    }
    Ok(map([]))
}

fn remove(world: &mut World, input: &Value, arns: &[String]) -> ApiResult<Value> {
    let now = world.now;
    let group = named(world, input)?;
    if let Some(foreign) = arns.iter().find(|arn| !group.target_groups.contains(arn)) {
        return Err(invalid(format!(
            "Trying to remove Target Groups that are not part of the group: {foreign}"
        )));
    }
    group.target_groups.retain(|arn| !arns.contains(arn));
    group.attached.retain(|arn, _| !arns.contains(arn));
    group.detached.extend(arns.iter().map(|arn| (arn.clone(), now)));
    let members: Vec<String> = group.members.keys().cloned().collect();
    for arn in arns {
        for id in &members {
            elbv2::deregister(world, arn, id);
        }
    }
    Ok(map([]))
}

/// Returns the target groups and their states: `Adding` at first, then `InService` with a healthy target,
/// otherwise `Added`; detached ones are `Removing` while an instance drains there, then `Removed` for a
/// while.
fn states(world: &mut World, input: &Value) -> ApiResult<Vec<(String, &'static str)>> {
    let group = &*named(world, input)?;
    let (target_groups, attached) = (group.target_groups.clone(), group.attached.clone());
    let detached = group.detached.clone();
    let members: Vec<String> = group.members.keys().cloned().collect();
    let any = |arn: &str, is: fn(TargetState) -> bool| {
        members.iter().filter_map(|id| elbv2::target_state(world, arn, id)).any(is)
    };
    let takes = world.params.attachment;
    let state = |arn: &str| match attached.get(arn) {
        Some(since) if world.now < later(*since, takes) => "Adding",
        _ if any(arn, |state| state == TargetState::Healthy) => "InService",
        _ => "Added",
    };
    let gone = |arn: &str, since: Timestamp| {
        let drained = later(since, elbv2::deregistration_delay(world, arn));
        match any(arn, |_| true) {
            true => Some("Removing"),
            false => (world.now < later(drained, takes)).then_some("Removed"),
        }
    };
    let present = target_groups.into_iter().map(|arn| (arn.clone(), state(&arn)));
    let left = detached.into_iter().filter_map(|(arn, since)| {
        let state = gone(&arn, since)?;
        Some((arn, state))
    });
    Ok(present.chain(left).collect())
}

/// Registers an instance. A target group that refuses it is skipped, and the instance is in service anyway (a
/// guess).
pub(super) fn register(world: &mut World, target_groups: &[String], id: &str) {
    for target_group in target_groups {
        let _ = elbv2::register(world, target_group, id, None);
    }
}

fn arns(input: &Value) -> ApiResult<Vec<String>> {
    ten(input.unique_strings("TargetGroupARNs"), "target groups")
}

fn sources(input: &Value) -> ApiResult<Vec<String>> {
    let mut arns = Vec::new();
    for source in input.list("TrafficSources") {
        let identifier = source.need_str("Identifier")?;
        let kind = source.str("Type").unwrap_or(if identifier.contains(":targetgroup/") {
            "elbv2"
        } else {
            "elb"
        });
        match kind {
            "elbv2" if arns.iter().any(|known| known == identifier) => {}
            "elbv2" => arns.push(identifier.to_owned()),
            "elb" | "vpc-lattice" => {
                return Err(invalid(format!(
                    "Provided traffic sources may not be valid. Please ensure they exist and try again. ({identifier})"
                )));
            }
            other => return Err(invalid(format!("Unknown traffic source type: {other}"))),
        }
    }
    ten(arns, "traffic sources")
}

fn ten(items: Vec<String>, what: &str) -> ApiResult<Vec<String>> {
    if items.is_empty() || items.len() > 10 {
        return Err(invalid(format!("Between 1 and 10 {what} are required")));
    }
    Ok(items)
}

fn registrable(group: &Group) -> Vec<String> {
    let serving = group.members.iter().filter(|(_, m)| m.state == LifecycleState::InService);
    serving.map(|(id, _)| id.clone()).collect()
}
