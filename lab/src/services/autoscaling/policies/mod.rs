//! Scaling policies: simple, step and target tracking ones change the desired capacity when alarms
//! call for it. Predictive ones are kept and described; the lab forecasts nothing.

mod adjust;
mod read;
#[cfg(test)]
mod tests;
mod tracking;
mod watch;

use super::{Group, invalid, lasting, max_records, named, not_found};
use crate::services::cloudwatch;
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

pub(super) use watch::{execute, watch};

/// Policies of a group (quota).
const QUOTA: usize = 50;

/// A scaling policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its name, unique in the group.
    pub name: String,
    /// Its ARN, which alarms name as their action.
    pub arn: String,
    /// How it scales.
    pub kind: Kind,
    /// False while it is switched off.
    pub enabled: bool,
    /// The alarms that the policy itself has made (target tracking): high, and low if it scales in.
    pub alarms: Vec<String>,
    /// The settings as put.
    settings: Value,
    /// When it last lowered the desired capacity.
    lowered: Option<jiff::Timestamp>,
}

/// How a policy scales (API model: `PolicyType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One adjustment, and then a cooldown.
    Simple,
    /// Adjustments by how far the metric is from the alarm's threshold.
    Step,
    /// Towards a value of a metric.
    Tracking,
    /// By a forecast: not simulated.
    Predictive,
}

impl Kind {
    const NAMES: [(&str, Kind); 4] = [
        ("SimpleScaling", Kind::Simple),
        ("StepScaling", Kind::Step),
        ("TargetTrackingScaling", Kind::Tracking),
        ("PredictiveScaling", Kind::Predictive),
    ];

    fn name(self) -> &'static str {
        Kind::NAMES.iter().find(|(_, kind)| *kind == self).map_or("SimpleScaling", |(name, _)| name)
    }
}

/// `PutScalingPolicy`: an upsert by name. A target tracking policy comes with its alarms.
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (account, region, uuid) = (world.account.clone(), world.region.clone(), world.ids.uuid());
    let group = lasting(world, input)?;
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
    tracking::remake_alarms(world, &group_name, &name);
    watch::begin(world, &group_name);
    let Some(policy) = world.autoscaling.groups[&group_name].policies.get(&name) else {
        return Err(not_found(&group_name));
    };
    Ok(map([("PolicyARN", policy.arn.as_str().into()), ("Alarms", alarms(world, policy))]))
}

/// `DeletePolicy`, by name or ARN; the alarms that it made go with it.
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

/// Removes the alarms of a group that is deleted.
pub(super) fn forget(world: &mut World, group: &Group) {
    for policy in group.policies.values() {
        tracking::drop_alarms(world, policy);
    }
}

/// `DescribePolicies`: of one group or all, by name or ARN, by type.
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

/// Group and name of the policy that a request names: by name in a group, or by ARN.
fn find(world: &mut World, input: &Value) -> ApiResult<(String, String)> {
    let wanted = input.need_str("PolicyName")?;
    let only = match input.str("AutoScalingGroupName") {
        Some(_) => Some(named(world, input)?.name.clone()),
        None if wanted.starts_with("arn:") => None,
        None => return Err(invalid("Auto Scaling group name is required with a policy's name")),
    };
    world
        .autoscaling
        .groups
        .values()
        .filter(|group| only.as_ref().is_none_or(|name| *name == group.name))
        .flat_map(|group| group.policies.values().map(move |policy| (group, policy)))
        .find(|(_, policy)| policy.name == wanted || policy.arn == wanted)
        .map(|(group, policy)| (group.name.clone(), policy.name.clone()))
        .ok_or_else(|| invalid(format!("No policy found with name or ARN {wanted}")))
}

/// The alarms of a policy: those that it made, or those that act on it.
fn alarms(world: &World, policy: &Policy) -> Value {
    let names = if policy.kind == Kind::Tracking {
        policy.alarms.clone()
    } else {
        cloudwatch::alarms_naming(world, &policy.arn)
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
    let aggregation = aggregation.or((policy.kind == Kind::Step).then_some("Average"));
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
