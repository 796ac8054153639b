//! `DescribeAutoScalingGroups` and `DescribeAutoScalingInstances`.

use super::errors::invalid;
use super::group::{Group, Member};
use super::request::max_records;
use super::template::template_value;
use super::{options, tags};
use crate::services::paging::page;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// `DescribeAutoScalingGroups`: names that don't exist are omitted, not refused.
pub(super) fn groups(world: &World, input: &Value) -> ApiResult<Value> {
    let names = input.strings("AutoScalingGroupNames");
    for filter in input.list("Filters") {
        let name = filter.str("Name").unwrap_or_default();
        if !["tag-key", "tag-value"].contains(&name) && !name.starts_with("tag:") {
            return Err(invalid(format!(
                "Filter type {name} is not correct. Allowed Filter types are: tag-key tag-value tag:<key>"
            )));
        }
    }
    let with_instances = input.bool("IncludeInstances").unwrap_or(true);
    let found = world
        .autoscaling
        .groups
        .values()
        .filter(|group| names.is_empty() || names.contains(&group.name))
        .filter(|group| input.list("Filters").iter().all(|filter| passes(group, filter)))
        .map(|group| group_value(world, group, with_instances))
        .collect();
    let size = max_records(input, 50, 100)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("AutoScalingGroups", items.into()), ("NextToken", next.into())]))
}

/// `DescribeAutoScalingInstances`.
pub(super) fn instances(world: &World, input: &Value) -> ApiResult<Value> {
    let ids = input.strings("InstanceIds");
    let found = world
        .autoscaling
        .groups
        .values()
        .flat_map(|group| group.members.iter().map(move |(id, member)| (group, id, member)))
        .filter(|(_, id, _)| ids.is_empty() || ids.contains(id))
        .map(|(group, id, member)| instance_detail(group, id, member))
        .collect();
    let size = max_records(input, 50, 50)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("AutoScalingInstances", items.into()), ("NextToken", next.into())]))
}

fn passes(group: &Group, filter: &Value) -> bool {
    let values = filter.strings("Values");
    match filter.str("Name").unwrap_or_default() {
        "tag-key" => group.tags.keys().any(|key| values.contains(key)),
        "tag-value" => group.tags.values().any(|tag| values.contains(&tag.value)),
        name => name
            .strip_prefix("tag:")
            .is_none_or(|key| group.tags.get(key).is_some_and(|tag| values.contains(&tag.value))),
    }
}

fn group_value(world: &World, group: &Group, with_instances: bool) -> Value {
    let strings = |items: &[String]| -> Value {
        items.iter().map(|item| item.as_str().into()).collect::<Vec<Value>>().into()
    };
    let instances = group
        .members
        .iter()
        .filter(|_| with_instances)
        .map(|(id, member)| instance(id, member))
        .collect::<Vec<_>>();
    let suspended = group
        .suspended
        .iter()
        .map(|(process, since)| {
            map([
                ("ProcessName", process.as_str().into()),
                ("SuspensionReason", format!("User suspended at {since:.0}").into()),
            ])
        })
        .collect::<Vec<_>>();
    let sources = group
        .target_groups
        .iter()
        .map(|arn| map([("Identifier", arn.as_str().into()), ("Type", "elbv2".into())]))
        .collect::<Vec<_>>();
    let group_tags =
        group.tags.iter().map(|(key, tag)| tags::to_value(group, key, tag)).collect::<Vec<_>>();
    let zone_ids = group
        .zones
        .iter()
        .filter_map(|zone| world.ec2.zones.get(zone))
        .map(|zone| zone.id.as_str().into())
        .collect::<Vec<Value>>();
    let metrics = group
        .metrics
        .iter()
        .map(|metric| map([("Metric", metric.as_str().into()), ("Granularity", "1Minute".into())]))
        .collect::<Vec<_>>();
    let maintenance = group.maintenance.map(|(min, max)| {
        map([("MinHealthyPercentage", min.into()), ("MaxHealthyPercentage", max.into())])
    });
    let answer = map([
        ("AutoScalingGroupName", group.name.as_str().into()),
        ("AutoScalingGroupARN", group.arn.as_str().into()),
        group.template.to_member(),
        ("MinSize", int(group.min)),
        ("MaxSize", int(group.max)),
        ("DesiredCapacity", int(group.desired)),
        ("DefaultCooldown", int(group.cooldown)),
        ("AvailabilityZones", strings(&group.zones)),
        ("AvailabilityZoneIds", zone_ids.into()),
        ("LoadBalancerNames", Value::List(Vec::new())),
        ("TargetGroupARNs", strings(&group.target_groups)),
        ("HealthCheckType", group.health_check_type.as_str().into()),
        ("HealthCheckGracePeriod", int(group.grace)),
        ("Instances", instances.into()),
        ("CreatedTime", group.created.into()),
        ("SuspendedProcesses", suspended.into()),
        ("VPCZoneIdentifier", group.subnets.join(",").into()),
        ("EnabledMetrics", metrics.into()),
        ("Status", group.deleting.then_some("Delete in progress").into()),
        ("Tags", group_tags.into()),
        ("TerminationPolicies", strings(&group.termination_policies)),
        ("NewInstancesProtectedFromScaleIn", group.protects_new.into()),
        ("DefaultInstanceWarmup", group.warmup.map(int).unwrap_or(Value::Null)),
        ("TrafficSources", sources.into()),
        ("InstanceMaintenancePolicy", maintenance.unwrap_or(Value::Null)),
        ("WarmPoolConfiguration", group.warm_pool.clone().unwrap_or(Value::Null)),
        ("WarmPoolSize", group.warm_pool.as_ref().map(|_| Value::Int(0)).unwrap_or(Value::Null)),
    ]);
    options::describe_kept(group, answer)
}

fn instance(id: &str, member: &Member) -> Value {
    map([
        ("InstanceId", id.into()),
        ("InstanceType", member.instance_type.clone().into()),
        ("AvailabilityZone", member.zone.as_str().into()),
        ("LifecycleState", member.state.as_str().into()),
        ("HealthStatus", (if member.healthy { "Healthy" } else { "Unhealthy" }).into()),
        ("LaunchTemplate", launched_from(member)),
        ("ProtectedFromScaleIn", member.protected.into()),
    ])
}

/// Formats an instance for `DescribeAutoScalingInstances`, where the health status is uppercase (recorded
/// once).
fn instance_detail(group: &Group, id: &str, member: &Member) -> Value {
    map([
        ("InstanceId", id.into()),
        ("InstanceType", member.instance_type.clone().into()),
        ("AutoScalingGroupName", group.name.as_str().into()),
        ("AvailabilityZone", member.zone.as_str().into()),
        ("LifecycleState", member.state.as_str().into()),
        ("HealthStatus", (if member.healthy { "HEALTHY" } else { "UNHEALTHY" }).into()),
        ("LaunchTemplate", launched_from(member)),
        ("ProtectedFromScaleIn", member.protected.into()),
    ])
}

/// Returns the launch template and version; none for an attached instance that was launched without.
fn launched_from(member: &Member) -> Value {
    match &member.template {
        (id, _, _) if id.is_empty() => Value::Null,
        (id, name, number) => template_value(id, name, &number.to_string()),
    }
}

fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}
