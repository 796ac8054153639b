//! Scaling policies: simple, step and target tracking policies change DesiredCapacity when alarms trigger
//! them. Predictive ones are stored and described; the lab makes no forecasts.

mod adjust;
mod find;
pub(super) mod policy;
mod read;
#[cfg(test)]
mod tests;
mod tracking;
mod watch;

use super::errors::not_found;
use super::group::Group;
use super::request::{group_to_update, max_records, named};
use crate::services::cloudwatch;
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;
use find::find;
use policy::{Policy, PolicyType};

pub(super) use watch::{execute, watch};

/// The most policies of a group (quota).
const QUOTA: usize = 50;

/// `PutScalingPolicy`: creates or updates by name. A target tracking policy gets its alarms.
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (account, region, uuid) = (world.account.clone(), world.region.clone(), world.ids.uuid());
    let group = group_to_update(world, input)?;
    let name = input.need_str("PolicyName")?.to_owned();
    let kind = read::check(group, input)?;
    if group.policies.len() >= QUOTA && !group.policies.contains_key(&name) {
        return Err(ApiError::sender(
            "LimitExceeded",
            format!("A group can have at most {QUOTA} scaling policies."),
        ));
    }
    let before = group.policies.remove(&name);
    let arn = before.as_ref().map_or_else(
        || format!(
            "arn:aws:autoscaling:{region}:{account}:scalingPolicy:{uuid}:autoScalingGroupName/{}:policyName/{name}",
            group.name
        ),
        |policy| policy.arn.clone(),
    );
    let policy = Policy {
        name: name.clone(),
        arn,
        kind,
        enabled: input.bool("Enabled").unwrap_or(true),
        alarms: before.map(|policy| policy.alarms).unwrap_or_default(),
        settings: input.clone(),
        lowered: None,
    };
    let group_name = group.name.clone();
    group.policies.insert(name.clone(), policy);
    tracking::update_alarms(world, &group_name, &name);
    watch::begin(world, &group_name);
    let Some(policy) = world.autoscaling.groups[&group_name].policies.get(&name) else {
        return Err(not_found(&group_name));
    };
    Ok(map([("PolicyARN", policy.arn.as_str().into()), ("Alarms", alarms(world, policy))]))
}

/// `DeletePolicy`, by name or ARN, together with the alarms that the policy created.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (group, policy) = find(world, input)?;
    let Some(group) = world.autoscaling.groups.get_mut(&group) else {
        return Err(not_found(&group));
    };
    if let Some(policy) = group.policies.remove(&policy) {
        tracking::drop_alarms(world, &policy);
    }
    Ok(Value::Null)
}

/// Deletes the alarms that a deleted group's policies created.
pub(super) fn forget(world: &mut World, group: &Group) {
    for policy in group.policies.values() {
        tracking::drop_alarms(world, policy);
    }
}

/// `DescribePolicies`: of one group or all, filtered by name or ARN, and by type.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let only = match input.str("AutoScalingGroupName") {
        Some(_) => Some(named(world, input)?.name.clone()),
        None => None,
    };
    let (names, types) = (input.strings("PolicyNames"), input.strings("PolicyTypes"));
    let found = world
        .autoscaling
        .groups
        .values()
        .filter(|group| only.as_ref().is_none_or(|name| *name == group.name))
        .flat_map(|group| group.policies.values().map(move |policy| (group, policy)))
        .filter(|(_, p)| names.is_empty() || names.contains(&p.name) || names.contains(&p.arn))
        .filter(|(_, p)| types.is_empty() || types.iter().any(|t| t == p.kind.name()))
        .map(|(group, policy)| to_value(world, group, policy))
        .collect();
    let size = max_records(input, 50, 100)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("ScalingPolicies", items.into()), ("NextToken", next.into())]))
}

/// Returns the alarms of a policy: those that it created, or those that have it as an action.
fn alarms(world: &World, policy: &Policy) -> Value {
    let names = if policy.kind == PolicyType::Tracking {
        policy.alarms.clone()
    } else {
        cloudwatch::alarms_with_action(world, &policy.arn)
    };
    let alarm = |name: String| {
        let arn = format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", world.region, world.account);
        map([("AlarmName", name.into()), ("AlarmARN", arn.into())])
    };
    names.into_iter().map(alarm).collect::<Vec<_>>().into()
}

fn to_value(world: &World, group: &Group, policy: &Policy) -> Value {
    let given = &policy.settings;
    let written = map([
        ("AutoScalingGroupName", group.name.as_str().into()),
        ("PolicyName", policy.name.as_str().into()),
        ("PolicyARN", policy.arn.as_str().into()),
        ("PolicyType", policy.kind.name().into()),
        ("AdjustmentType", given.get("AdjustmentType").clone()),
        ("StepAdjustments", given.get("StepAdjustments").clone()),
        ("TargetTrackingConfiguration", read::tracking_with_defaults(given)),
        ("PredictiveScalingConfiguration", given.get("PredictiveScalingConfiguration").clone()),
        ("Alarms", alarms(world, policy)),
        ("Enabled", policy.enabled.into()),
    ]);
    let aggregation = given.str("MetricAggregationType");
    let aggregation = aggregation.or((policy.kind == PolicyType::Step).then_some("Average"));
    let numbers = [
        "MinAdjustmentStep",
        "MinAdjustmentMagnitude",
        "ScalingAdjustment",
        "Cooldown",
        "EstimatedInstanceWarmup",
    ];
    let written = written.with("MetricAggregationType", aggregation.map(str::to_owned));
    numbers.iter().fold(written, |w, key| w.with(key, given.int(key)))
}
