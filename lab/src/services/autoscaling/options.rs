//! The settings that creating and updating a group share: all except its sizes and its template.

use super::capacity::number;
use super::errors::invalid;
use super::group::Group;
use super::termination_policy;
use crate::wire::{ApiResult, Value};
use crate::world::World;

/// Settings that are stored and described but have no effect here (API model: scalars, then structures).
const KEPT: [&str; 11] = [
    "CapacityRebalance",
    "Context",
    "DeletionProtection",
    "DesiredCapacityType",
    "MaxInstanceLifetime",
    "PlacementGroup",
    "ServiceLinkedRoleARN",
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
    "CapacityReservationSpecification",
    "InstanceLifecyclePolicy",
];
/// Those that are numbers, and those that are booleans, in responses.
const NUMBERS: [&str; 1] = ["MaxInstanceLifetime"];
const FLAGS: [&str; 1] = ["CapacityRebalance"];
/// The health checks that a group may use (API model); `EC2` always applies.
const HEALTH_CHECKS: [&str; 4] = ["EC2", "ELB", "VPC_LATTICE", "EBS"];

/// Sets what the request has, and leaves the rest unchanged.
pub(super) fn set(world: &World, group: &mut Group, input: &Value) -> ApiResult<()> {
    places(world, group, input)?;
    if let Some(kind) = input.str("HealthCheckType") {
        if let Some(other) = kind.split(',').find(|k| !HEALTH_CHECKS.contains(&k.trim())) {
            return Err(invalid(format!("Invalid health check type: {other}")));
        }
        group.health_check_type = kind.to_owned();
    }
    if let Some(grace) = number(input, "HealthCheckGracePeriod")? {
        group.grace = grace;
    }
    if let Some(cooldown) = number(input, "DefaultCooldown")? {
        group.cooldown = cooldown;
    }
    if let Some(warmup) = input.int("DefaultInstanceWarmup") {
        // −1 unsets it.
        if !(-1..=3600).contains(&warmup) {
            return Err(invalid("DefaultInstanceWarmup must be between 0 and 3600, or -1"));
        }
        group.warmup = u64::try_from(warmup).ok();
    }
    if let Some(protects) = input.bool("NewInstancesProtectedFromScaleIn") {
        group.protects_new = protects;
    }
    let policies = input.strings("TerminationPolicies");
    if !policies.is_empty() {
        let known = |policy: &&String| {
            termination_policy::POLICIES.contains(&policy.as_str())
                || policy.starts_with("arn:aws:lambda:")
        };
        if let Some(other) = policies.iter().find(|policy| !known(policy)) {
            return Err(invalid(format!("Unknown termination policy: {other}")));
        }
        group.termination_policies = policies;
    }
    let maintenance = input.get("InstanceMaintenancePolicy");
    if !maintenance.is_null() {
        group.maintenance = maintenance_policy(maintenance)?;
    }
    for key in KEPT {
        if !input.get(key).is_null() {
            group.stored_settings.insert(key.to_owned(), input.get(key).clone());
        }
    }
    Ok(())
}

/// Adds the settings that are only stored to a group's description.
pub(super) fn describe_kept(group: &Group, answer: Value) -> Value {
    let members =
        group.stored_settings.iter().map(|(key, value)| (key.clone().into(), value.clone()));
    let kept = Value::Map(members.collect());
    KEPT.iter().fold(answer, |answer, key| {
        let value = match *key {
            key if NUMBERS.contains(&key) => kept.int(key).into(),
            key if FLAGS.contains(&key) => kept.bool(key).into(),
            key => kept.get(key).clone(),
        };
        answer.with(key, value)
    })
}

/// Reads an instance maintenance policy: both bounds, or −1 and −1 to remove it (API model).
fn maintenance_policy(policy: &Value) -> ApiResult<Option<(i64, i64)>> {
    let bound = |key: &str| {
        policy.int(key).ok_or_else(|| {
            invalid(
                "InstanceMaintenancePolicy must have MinHealthyPercentage and MaxHealthyPercentage",
            )
        })
    };
    let (min, max) = (bound("MinHealthyPercentage")?, bound("MaxHealthyPercentage")?);
    if (min, max) == (-1, -1) {
        return Ok(None);
    }
    if !(0..=100).contains(&min) || !(100..=200).contains(&max) {
        return Err(invalid(
            "MinHealthyPercentage must be between 0 and 100, and MaxHealthyPercentage between 100 and 200, or both -1.",
        ));
    }
    if max - min > 100 {
        return Err(invalid(
            "The difference between MaxHealthyPercentage and MinHealthyPercentage must be less than or equal to 100.",
        ));
    }
    Ok(Some((min, max)))
}

/// Sets subnets and zones, from `VPCZoneIdentifier` or from zones with their subnets.
fn places(world: &World, group: &mut Group, input: &Value) -> ApiResult<()> {
    if let Some(text) = input.str("VPCZoneIdentifier") {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        group.subnets = parts.map(str::to_owned).collect();
        group.zones = zones_of(world, &group.subnets)?;
        return Ok(());
    }
    let mut zones = input.strings("AvailabilityZones");
    for id in input.strings("AvailabilityZoneIds") {
        zones.extend(
            world.ec2.zones.iter().filter(|(_, z)| z.id == id).map(|(name, _)| name.clone()),
        );
    }
    if zones.is_empty() {
        return Ok(());
    }
    if let Some(zone) = zones.iter().find(|zone| !world.ec2.zones.contains_key(*zone)) {
        return Err(invalid(format!("Invalid availability zone: [{zone}]")));
    }
    // Uses the zones' default subnets or, in an account without any, all of their subnets.
    let any_default = world.ec2.subnets.values().any(|subnet| subnet.is_default);
    let within =
        world.ec2.subnets.iter().filter(|(_, subnet)| {
            zones.contains(&subnet.zone) && (subnet.is_default || !any_default)
        });
    group.subnets = within.map(|(id, _)| id.clone()).collect();
    group.zones = zones_of(world, &group.subnets)?;
    Ok(())
}

fn zones_of(world: &World, subnets: &[String]) -> ApiResult<Vec<String>> {
    let mut zones = Vec::new();
    for id in subnets {
        let subnet = world
            .ec2
            .subnets
            .get(id)
            .ok_or_else(|| invalid(format!("The subnet ID '{id}' does not exist")))?;
        if !zones.contains(&subnet.zone) {
            zones.push(subnet.zone.clone());
        }
    }
    Ok(zones)
}
