//! Operations on existing instances: terminate, stop, start, reboot, and modify.

use std::time::Duration;

use super::errors::{INSTANCE, invalid_value, missing_parameter, required_str};
use super::instance::InstanceState;
use super::instances::{self, boot};
use super::state::Event;
use super::tags::success;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{self, World, later};

/// `TerminateInstances`: no error for an instance that is already terminated.
pub(super) fn terminate(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = named(world, input)?;
    let protected = ids.iter().find(|id| {
        let instance = world.ec2.instances.get(*id);
        instance.is_some_and(|i| i.data.bool("disableApiTermination") == Some(true))
    });
    if let Some(id) = protected {
        return Err(ApiError::sender(
            "OperationNotPermitted",
            format!(
                "The instance '{id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
            ),
        ));
    }
    apply_to_each(world, &ids, instances::terminate)
}

/// `StopInstances`.
pub(super) fn stop(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = named(world, input)?;
    check_state(world, &ids, "stopped", |state| {
        matches!(state, InstanceState::ShuttingDown | InstanceState::Terminated)
    })?;
    apply_to_each(world, &ids, |world, id| {
        let (gone, stops_in) = (world.now, world.params.terminate);
        let Some(instance) = world.ec2.instances.get_mut(id) else { return };
        if matches!(instance.state, InstanceState::Pending | InstanceState::Running) {
            instance.state = InstanceState::Stopping;
            instance.responds_from = None;
            let event = Event::Stopped(id.to_owned());
            world.queue.push(later(gone, stops_in), world::Event::Ec2(event));
        }
    })
}

/// Moves a stopping instance to the state stopped. It loses its public address.
pub(super) fn mark_stopped(world: &mut World, id: &str) {
    if let Some(instance) = world.ec2.instances.get_mut(id)
        && instance.state == InstanceState::Stopping
    {
        instance.state = InstanceState::Stopped;
        (instance.public_ip, instance.running_since) = (None, None);
    }
}

/// `StartInstances`.
pub(super) fn start(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = named(world, input)?;
    check_state(world, &ids, "started", |state| {
        !matches!(state, InstanceState::Stopped | InstanceState::Running | InstanceState::Pending)
    })?;
    let starts_in = world.params.launch;
    apply_to_each(world, &ids, |world, id| {
        let public = world
            .ec2
            .instances
            .get(id)
            .and_then(|instance| world.ec2.subnets.get(&instance.subnet))
            .is_some_and(|subnet| subnet.map_public_ip);
        let Some(instance) = world.ec2.instances.get_mut(id) else { return };
        if instance.state != InstanceState::Stopped {
            return;
        }
        instance.state = InstanceState::Pending;
        instance.public_ip = public.then(|| super::network::public_address(id));
        boot(world, id, starts_in);
        let event = world::Event::Ec2(Event::Running(id.to_owned()));
        world.queue.push(later(world.now, starts_in), event);
    })
}

/// `RebootInstances`: the program boots again; the instance's state remains running.
pub(super) fn reboot(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = named(world, input)?;
    check_state(world, &ids, "rebooted", |state| state != InstanceState::Running)?;
    for id in ids {
        boot(world, &id, Duration::ZERO);
    }
    Ok(success())
}

/// `DescribeInstanceAttribute`.
pub(super) fn describe_attribute(world: &World, input: &Value) -> ApiResult<Value> {
    let (id, name) = (required_str(input, "InstanceId")?, required_str(input, "Attribute")?);
    let instance = world.ec2.instances.get(id).ok_or_else(|| INSTANCE.not_found(id))?;
    let value = |value: Value| map([("value", value)]);
    let flag = |key: &str| value(instance.data.bool(key).unwrap_or(false).into());
    let text = |key: &str| value(instance.data.str(key).into());
    let attribute = match name {
        "instanceType" => ("instanceType", text("instanceType")),
        "userData" => ("userData", text("userData")),
        "disableApiTermination" => ("disableApiTermination", flag("disableApiTermination")),
        "disableApiStop" => ("disableApiStop", flag("disableApiStop")),
        "ebsOptimized" => ("ebsOptimized", flag("ebsOptimized")),
        "instanceInitiatedShutdownBehavior" => {
            let behavior = instance.data.str("instanceInitiatedShutdownBehavior").unwrap_or("stop");
            ("instanceInitiatedShutdownBehavior", value(behavior.into()))
        }
        "rootDeviceName" => ("rootDeviceName", value("/dev/xvda".into())),
        "sourceDestCheck" => ("sourceDestCheck", value(true.into())),
        "enaSupport" => ("enaSupport", value(true.into())),
        "groupSet" => {
            let groups =
                instance.security_groups.iter().map(|id| map([("groupId", id.as_str().into())]));
            ("groupSet", Value::List(groups.collect()))
        }
        "blockDeviceMapping" => ("blockDeviceMapping", Value::List(Vec::new())),
        "productCodes" => ("productCodes", Value::List(Vec::new())),
        "kernel" | "ramdisk" | "sriovNetSupport" | "enclaveOptions" => {
            return Ok(map([("instanceId", id.into())]));
        }
        other => {
            return Err(invalid_value(format!(
                "Value ({other}) for parameter attribute is invalid. Unknown attribute."
            )));
        }
    };
    Ok(map([("instanceId", id.into()), attribute]))
}

/// `ModifyInstanceAttribute`: termination and stop protection, shutdown behavior, security groups, and the
/// attributes that can only be changed while the instance is stopped.
pub(super) fn modify_attribute(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = required_str(input, "InstanceId")?;
    let instance = world.ec2.instances.get(id).ok_or_else(|| INSTANCE.not_found(id))?;
    let groups = input.strings("GroupId");
    if let Some(missing) = groups.iter().find(|g| !world.ec2.security_groups.contains_key(*g)) {
        return Err(super::errors::SECURITY_GROUP.not_found(missing));
    }
    // The API has two forms: `DisableApiTermination.Value`, or `Attribute` with `Value`.
    let given = |member: &str, name: &str| {
        let old = input.str("Attribute").filter(|attribute| *attribute == name);
        input.get(member).str("Value").or(old.and(input.str("Value"))).map(str::to_owned)
    };
    let changes = [
        ("DisableApiTermination", "disableApiTermination", false),
        ("DisableApiStop", "disableApiStop", false),
        ("InstanceInitiatedShutdownBehavior", "instanceInitiatedShutdownBehavior", false),
        ("InstanceType", "instanceType", true),
        ("UserData", "userData", true),
        ("EbsOptimized", "ebsOptimized", true),
    ];
    let mut changed = Vec::new();
    for (member, name, needs_stop) in changes {
        let Some(value) = given(member, name) else { continue };
        if needs_stop && instance.state != InstanceState::Stopped {
            return Err(ApiError::sender(
                "IncorrectInstanceState",
                format!("The instance '{id}' is not in the 'stopped' state."),
            ));
        }
        changed.push((name.into(), Value::Str(value)));
    }
    let ignored = ["SourceDestCheck", "EnaSupport", "SriovNetSupport", "BlockDeviceMapping"];
    if changed.is_empty() && groups.is_empty() && ignored.iter().all(|k| input.get(k).is_null()) {
        return Err(missing_parameter("attribute"));
    }
    if let Some(instance) = world.ec2.instances.get_mut(id) {
        instance.data = super::launch_data::merged(&instance.data, Value::Map(changed));
        if !groups.is_empty() {
            instance.security_groups = groups;
        }
    }
    Ok(success())
}

/// Returns the ids of the instances that a call names, all of which must exist.
fn named(world: &World, input: &Value) -> ApiResult<Vec<String>> {
    let ids = input.strings("InstanceId");
    if ids.is_empty() {
        return Err(missing_parameter("InstanceId"));
    }
    let missing: Vec<&String> =
        ids.iter().filter(|id| !world.ec2.instances.contains_key(*id)).collect();
    match missing.as_slice() {
        [] => Ok(ids),
        [one] => Err(INSTANCE.not_found(one)),
        several => Err(super::describe::several_missing(several)),
    }
}

fn check_state(
    world: &World,
    ids: &[String],
    what: &str,
    bad: impl Fn(InstanceState) -> bool,
) -> ApiResult<()> {
    let state = |id: &String| world.ec2.instances.get(id).map(|instance| instance.state);
    match ids.iter().find(|id| state(id).is_some_and(&bad)) {
        Some(id) => Err(ApiError::sender(
            "IncorrectInstanceState",
            format!("The instance '{id}' is not in a state from which it can be {what}."),
        )),
        None => Ok(()),
    }
}

/// Applies `change` to each instance, and returns the states before and after.
fn apply_to_each(
    world: &mut World,
    ids: &[String],
    change: impl Fn(&mut World, &str),
) -> ApiResult<Value> {
    let state = |world: &World, id: &str| {
        let (code, name) = world
            .ec2
            .instances
            .get(id)
            .map_or((48, "terminated"), |instance| instance.state.code());
        map([("code", code.into()), ("name", name.into())])
    };
    let mut changed = Vec::new();
    for id in ids {
        let before = state(world, id);
        change(world, id);
        changed.push(map([
            ("instanceId", id.as_str().into()),
            ("currentState", state(world, id)),
            ("previousState", before),
        ]));
    }
    Ok(map([("instancesSet", changed.into())]))
}
