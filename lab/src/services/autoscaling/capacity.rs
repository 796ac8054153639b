//! How many instances a group has, and which ones come and go.

use std::cmp::Reverse;

use super::activities::stamp;
use super::life::{self, Why};
use super::{Event, Group, Lifecycle, Status, invalid, named, schedule};
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// `SetDesiredCapacity`: within the group's bounds, or refused.
pub(super) fn set_desired(world: &mut World, input: &Value) -> ApiResult<Value> {
    let at = stamp(world.now);
    let group = named(world, input)?;
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
    let name = group.name.clone();
    converge_soon(world, &name);
    Ok(Value::Null)
}

/// Reads a capacity: a whole number, not below zero.
pub(super) fn number(input: &Value, key: &str) -> ApiResult<Option<u64>> {
    match (input.get(key).is_null(), input.int(key).map(u64::try_from)) {
        (true, _) => Ok(None),
        (false, Some(Ok(number))) => Ok(Some(number)),
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
        life::launch(world, name, why);
    }
}

/// Takes out what is too many.
pub(super) fn scale_in(world: &mut World, name: &str, why: Why) {
    loop {
        let Some(group) = world.autoscaling.groups.get(name) else { return };
        if group.live().count() as u64 <= group.desired || !group.runs("Terminate") {
            return;
        }
        let Some(victim) = victim(group) else { return };
        life::take_out(world, name, &victim, why);
    }
}

/// Whom scale-in takes, by the default termination policy: of the zone with the most instances, not
/// protected, the oldest template version, then the oldest (user guide).
fn victim(group: &Group) -> Option<String> {
    let in_zone = |zone: &str| group.live().filter(|(_, member)| member.zone == zone).count();
    group
        .live()
        .filter(|(_, member)| !member.protected)
        .min_by_key(|(id, member)| {
            (
                Reverse(in_zone(&member.zone)),
                member.healthy,
                member.template.2,
                member.launched,
                (*id).clone(),
            )
        })
        .map(|(id, _)| id.clone())
}

/// Where the next instance goes: the subnet whose zone has the fewest instances, the first of equal
/// ones. A lost zone takes none while there is another.
pub(super) fn emptiest_subnet(world: &World, group: &Group) -> Option<String> {
    let zone_of = |subnet: &String| world.ec2.subnets.get(subnet).map(|s| s.zone.clone());
    let lost = |zone: &str| world.ec2.zones.get(zone).is_some_and(|zone| !zone.alive);
    let filled = |zone: &str| {
        group
            .members
            .values()
            .filter(|m| m.zone == zone && (m.is_live() || m.state == Lifecycle::Standby))
            .count()
    };
    group
        .subnets
        .iter()
        .filter_map(|subnet| zone_of(subnet).map(|zone| (subnet, zone)))
        .min_by_key(|(_, zone)| (lost(zone), filled(zone)))
        .map(|(subnet, _)| subnet.clone())
}

/// `DescribePolicies`: the lab has no scaling policies.
pub(super) fn describe_policies(_world: &World, _input: &Value) -> ApiResult<Value> {
    Ok(map([("ScalingPolicies", Value::List(Vec::new()))]))
}
