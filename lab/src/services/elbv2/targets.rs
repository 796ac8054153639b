//! Targets: registration, draining, and `DescribeTargetHealth`.

use std::collections::BTreeSet;

use super::errors::{target_group_not_found, validation};
use super::state::Event;
use super::target::Target;
use super::target_state::{HealthReason, TargetState};
use super::{find, health};
use crate::services::ec2::{Instance, InstanceState};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{self, World, later};

/// The most targets in all target groups of a load balancer together (quota).
const QUOTA: usize = 1000;

/// Registers an instance; `port` is the group's port if absent. An instance that is already registered with this
/// port is unchanged; one that is draining is registered again. Errors: TargetGroupNotFound, InvalidTarget,
/// TooManyTargets.
pub fn register(
    world: &mut World,
    group: &str,
    instance: &str,
    port: Option<u16>,
) -> ApiResult<()> {
    let target_group = find::target_group(world, group)?;
    let port = port.unwrap_or(target_group.port);
    let known = target_group.targets.get(instance);
    if known.is_some_and(|t| t.state != TargetState::Draining && t.port == port) {
        return Ok(());
    }
    let new = usize::from(known.is_none());
    check_quota(world, group, new)?;
    let zone = zone_of_running_instance(world, instance)?;
    let target = Target {
        port,
        zone,
        registered: world.now,
        state: TargetState::Unused,
        reason: Some(HealthReason::NotInUse),
        passed: 0,
        failed: 0,
        serial: world.elbv2.next_serial(),
    };
    if let Some(target_group) = world.elbv2.target_groups.get_mut(group) {
        target_group.targets.insert(instance.to_owned(), target);
    }
    health::update_usage(world, group);
    Ok(())
}

/// Checks the quota for `new` more targets. All target groups of a load balancer share it; a group that no load
/// balancer uses has it alone (user guide: the quota of targets per group is the same).
fn check_quota(world: &World, group: &str, new: usize) -> ApiResult<()> {
    let balancer = find::load_balancer_of(world, group);
    let together = world.elbv2.target_groups.values().filter(|other| {
        let used = || balancer.is_some() && find::load_balancer_of(world, &other.arn) == balancer;
        !other.targets.is_empty() && (other.arn == group || used())
    });
    let registered: usize = together.map(|other| other.targets.len()).sum();
    if new == 0 || registered + new <= QUOTA {
        return Ok(());
    }
    Err(ApiError::sender("TooManyTargets", "The maximum number of targets has been reached"))
}

/// Returns the zone of a running or pending instance, or InvalidTarget.
fn zone_of_running_instance(world: &World, id: &str) -> ApiResult<String> {
    let running =
        |i: &&Instance| matches!(i.state, InstanceState::Pending | InstanceState::Running);
    let instance = world.ec2.instances.get(id).filter(running);
    instance.map(|i| i.zone.clone()).ok_or_else(|| {
        ApiError::sender(
            "InvalidTarget",
            format!(
                "The following targets are not in a running state and cannot be registered: '{id}'"
            ),
        )
    })
}

/// Checks that a target is in the VPC of its group.
fn check_vpc(world: &World, group: &str, id: &str) -> ApiResult<()> {
    let vpc = &find::target_group(world, group)?.vpc;
    let subnet = world.ec2.instances.get(id).and_then(|i| world.ec2.subnets.get(&i.subnet));
    if subnet.is_none_or(|subnet| subnet.vpc == *vpc) {
        return Ok(());
    }
    Err(ApiError::sender(
        "InvalidTarget",
        format!("The following targets are not in the target group VPC '{vpc}': '{id}'"),
    ))
}

/// Deregisters an instance. It receives no new requests, is draining for the whole deregistration delay even if it
/// is idle (user guide), and is then removed. An unused target is removed at once (a guess).
pub fn deregister(world: &mut World, group: &str, instance: &str) {
    let serial = world.elbv2.next_serial();
    let Some(target_group) = world.elbv2.target_groups.get_mut(group) else { return };
    let delay = target_group.deregistration_delay();
    let Some(target) = target_group.targets.get_mut(instance) else { return };
    match target.state {
        TargetState::Draining => {}
        TargetState::Unused => {
            target_group.targets.remove(instance);
        }
        _ => {
            target.serial = serial;
            target.state = TargetState::Draining;
            target.reason = Some(HealthReason::DeregistrationInProgress);
            let event = Event::DrainingEnded {
                target_group: group.to_owned(),
                target: instance.to_owned(),
                serial,
            };
            world.queue.push(later(world.now, delay), world::Event::Elbv2(event));
        }
    }
}

/// Returns how long targets of a group are draining; zero if the group doesn't exist.
pub fn deregistration_delay(world: &World, group: &str) -> std::time::Duration {
    let group = world.elbv2.target_groups.get(group);
    group.map_or(std::time::Duration::ZERO, |group| group.deregistration_delay())
}

/// Removes a target whose deregistration delay has elapsed.
pub(super) fn end_draining(world: &mut World, group: &str, instance: &str, serial: u64) {
    let Some(target_group) = world.elbv2.target_groups.get_mut(group) else { return };
    if target_group.targets.get(instance).is_some_and(|t| t.serial == serial) {
        target_group.targets.remove(instance);
    }
}

/// `RegisterTargets`.
pub(super) fn register_targets(world: &mut World, input: &Value) -> ApiResult<Value> {
    let group = input.need_str("TargetGroupArn")?;
    find::target_group(world, group)?;
    if input.list("Targets").is_empty() {
        return Err(validation("At least one target must be specified"));
    }
    // All or nothing: an invalid target must not leave only some of the others registered.
    let mut new = BTreeSet::new();
    for target in input.list("Targets") {
        let id = target.need_str("Id")?;
        new.insert(id);
        zone_of_running_instance(world, id)?;
        check_vpc(world, group, id)?;
        port(target)?;
    }
    let known = &find::target_group(world, group)?.targets;
    new.retain(|id| !known.contains_key(*id));
    check_quota(world, group, new.len())?;
    for target in input.list("Targets") {
        register(world, group, target.need_str("Id")?, port(target)?)?;
    }
    Ok(map([]))
}

/// `DeregisterTargets`.
pub(super) fn deregister_targets(world: &mut World, input: &Value) -> ApiResult<Value> {
    let group = input.need_str("TargetGroupArn")?;
    find::target_group(world, group)?;
    for target in input.list("Targets") {
        deregister(world, group, target.need_str("Id")?);
    }
    Ok(map([]))
}

/// `DescribeTargetHealth`: all targets, or those requested. A requested target that isn't registered is `unused`
/// with `Target.NotRegistered`.
pub(super) fn describe_health(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("TargetGroupArn")?;
    let group = world.elbv2.target_groups.get(arn).ok_or_else(|| target_group_not_found(arn))?;
    let asked = input.list("Targets");
    let described: Vec<Value> = if asked.is_empty() {
        group.targets.iter().map(|(id, target)| write(id, Some(target), group.port)).collect()
    } else {
        let one = |wanted: &Value| {
            let id = wanted.need_str("Id")?;
            let port = port(wanted)?.unwrap_or(group.port);
            Ok(write(id, group.targets.get(id).filter(|t| t.port == port), port))
        };
        asked.iter().map(one).collect::<ApiResult<_>>()?
    };
    Ok(map([("TargetHealthDescriptions", described.into())]))
}

fn port(target: &Value) -> ApiResult<Option<u16>> {
    match target.int("Port") {
        Some(n) => {
            let valid = u16::try_from(n).ok().filter(|port| *port > 0);
            valid.map(Some).ok_or_else(|| validation(format!("Port '{n}' is not valid")))
        }
        None => Ok(None),
    }
}

fn write(id: &str, target: Option<&Target>, port: u16) -> Value {
    let port = i64::from(target.map_or(port, |t| t.port));
    let (state, reason) = target
        .map_or((TargetState::Unused, Some(HealthReason::NotRegistered)), |t| {
            (t.state, t.reason.clone())
        });
    let health = map([
        ("State", state.name().into()),
        ("Reason", reason.as_ref().map(HealthReason::code).into()),
        ("Description", reason.as_ref().map(HealthReason::description).into()),
    ]);
    map([
        ("Target", map([("Id", id.into()), ("Port", port.into())])),
        ("HealthCheckPort", port.to_string().into()),
        ("TargetHealth", health),
    ])
}
