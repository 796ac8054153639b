//! What a person does to instances: end, stop, start, reboot, and change them.

use std::time::Duration;

use super::errors::{INSTANCE, invalid_value, missing_parameter, need};
use super::instances::{InstanceState, boot};
use super::tags::done;
use super::{Event, instances};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{self, World, later};

/// `TerminateInstances`: no error for one that is gone already.
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
    changes(world, &ids, instances::terminate)
}

/// `StopInstances`.
pub(super) fn stop(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = named(world, input)?;
    refuse_in(world, &ids, "stopped", |state| {
        matches!(state, InstanceState::ShuttingDown | InstanceState::Terminated)
    })?;
    changes(world, &ids, |world, id| {
        let (gone, stops_in) = (world.now, world.params.terminate);
        let Some(instance) = world.ec2.instances.get_mut(id) else { return };
        if matches!(instance.state, InstanceState::Pending | InstanceState::Running) {
            instance.state = InstanceState::Stopping;
            instance.answers_from = None;
            let event = Event::Stopped(id.to_owned());
            world.queue.push(later(gone, stops_in), world::Event::Ec2(event));
        }
    })
}

/// A stopping instance has stopped, and with that lost its public address.
pub(super) fn stopped(world: &mut World, id: &str) {
    if let Some(instance) = world.ec2.instances.get_mut(id)
        && instance.state == InstanceState::Stopping
    {
        instance.state = InstanceState::Stopped;
        (instance.public_ip, instance.runs_since) = (None, None);
    }
}

/// `StartInstances`.
pub(super) fn start(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = named(world, input)?;
    refuse_in(world, &ids, "started", |state| {
        !matches!(state, InstanceState::Stopped | InstanceState::Running | InstanceState::Pending)
    })?;
    let starts_in = world.params.launch;
    changes(world, &ids, |world, id| {
        let public = world
            .ec2
            .instances
            .get(id)
            .and_then(|instance| world.ec2.subnets.get(&instance.subnet))
            .is_some_and(|subnet| subnet.public);
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

/// `RebootInstances`: the program starts anew; the instance keeps running by its state.
pub(super) fn reboot(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = named(world, input)?;
    refuse_in(world, &ids, "rebooted", |state| state != InstanceState::Running)?;
    for id in ids {
        boot(world, &id, Duration::ZERO);
    }
    Ok(done())
}

/// `DescribeInstanceAttribute`.
pub(super) fn describe_attribute(world: &World, input: &Value) -> ApiResult<Value> {
    let (id, name) = (need(input, "InstanceId")?, need(input, "Attribute")?);
    let instance = world.ec2.instances.get(id).ok_or_else(|| INSTANCE.missing(id))?;
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
            let behaviour =
                instance.data.str("instanceInitiatedShutdownBehavior").unwrap_or("stop");
            ("instanceInitiatedShutdownBehavior", value(behaviour.into()))
        }
        "rootDeviceName" => ("rootDeviceName", value("/dev/xvda".into())),
        "sourceDestCheck" => ("sourceDestCheck", value(true.into())),
        "enaSupport" => ("enaSupport", value(true.into())),
        "groupSet" => {
            let groups = instance.groups.iter().map(|id| map([("groupId", id.as_str().into())]));
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

/// `ModifyInstanceAttribute`: protection against termination, security groups, and what needs the
/// instance stopped.
pub(super) fn modify_attribute(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = need(input, "InstanceId")?;
    let instance = world.ec2.instances.get(id).ok_or_else(|| INSTANCE.missing(id))?;
    let groups = input.strings("GroupId");
    if let Some(missing) = groups.iter().find(|g| !world.ec2.security_groups.contains_key(*g)) {
        return Err(super::errors::SECURITY_GROUP.missing(missing));
    }
    // Both ways to say it: `DisableApiTermination.Value`, and `Attribute` with `Value`.
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
            instance.groups = groups;
        }
    }
    Ok(done())
}

/// The instances that a call names, all of which have to exist.
fn named(world: &World, input: &Value) -> ApiResult<Vec<String>> {
    let ids = input.strings("InstanceId");
    if ids.is_empty() {
        return Err(missing_parameter("InstanceId"));
    }
    let missing: Vec<&String> =
        ids.iter().filter(|id| !world.ec2.instances.contains_key(*id)).collect();
    match missing.as_slice() {
        [] => Ok(ids),
        [one] => Err(INSTANCE.missing(one)),
        several => Err(super::describe::several_missing(several)),
    }
}

fn refuse_in(
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

/// Does something to each instance, and tells the states before and after.
fn changes(
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
