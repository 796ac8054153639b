//! `RunInstances`, and the checks of every launch.

use std::borrow::Cow;

use super::client_token::CallResult;
use super::errors::{INSTANCE, SUBNET, invalid_value, missing_parameter, required_str};
use super::instances::{LaunchSpec, launch_instance};
use super::launch_check::check_launch;
use super::state::{Event, Tags};
use super::template_request::resolve;
use super::{describe, idempotency, launch_data, network, tags};
use crate::wire::{ApiError, ApiResult, Call, Value, map};
use crate::world::{self, World, later};

/// The members of `RunInstances` that are not launch template data.
const OF_THE_CALL: &[&str] =
    &["MinCount", "MaxCount", "ClientToken", "LaunchTemplate", "SubnetId", "TagSpecification"];

/// `RunInstances`: all instances in one subnet and one reservation.
pub(super) fn run(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    if let Some(CallResult::Instances(ids)) =
        idempotency::earlier_result(&world.ec2, call)?.cloned()
    {
        return Ok(describe::reservation(world, &ids));
    }
    let count = count(input, world.params.run_instances_max)?;
    let (data, template) = merged_data(world, input)?;
    let subnet = subnet(world, input, &data)?;
    let given = tags_of_instances(input)?;
    check_launch(world, &data, &subnet)?;
    let starts_in = world.params.launch;
    let mut ids = Vec::new();
    for _ in 0..count {
        let launch = LaunchSpec {
            data: data.clone(),
            template: template.clone(),
            subnet: &subnet,
            tags: given.clone(),
            starts_in,
        };
        let id = launch_instance(world, launch)?;
        let at = later(world.now, starts_in);
        world.queue.push(at, world::Event::Ec2(Event::Running(id.clone())));
        ids.push(id);
    }
    let answer = describe::reservation(world, &ids);
    idempotency::store_result(&mut world.ec2, call, CallResult::Instances(ids));
    Ok(answer)
}

/// `GetLaunchTemplateData`.
pub(super) fn template_data(world: &World, input: &Value) -> ApiResult<Value> {
    let id = required_str(input, "InstanceId")?;
    let instance = world.ec2.instances.get(id).ok_or_else(|| INSTANCE.not_found(id))?;
    Ok(map([("launchTemplateData", instance.data.clone())]))
}

/// Returns how many instances to launch: `MaxCount`, since the lab has room.
fn count(input: &Value, limit: i64) -> ApiResult<i64> {
    let number = |key: &str| input.int(key).ok_or_else(|| missing_parameter(key));
    let (least, most) = (number("MinCount")?, number("MaxCount")?);
    if least < 1 || most < least {
        return Err(invalid_value(format!(
            "Value ({least}) for parameter minCount is invalid. It must be between 1 and maxCount ({most})."
        )));
    }
    if most > limit {
        return Err(ApiError::sender(
            "InstanceLimitExceeded",
            format!(
                "You have requested more instances ({most}) than your current instance limit of {limit} allows."
            ),
        ));
    }
    Ok(most)
}

/// Returns the launch data of a call: its own, merged into that of its launch template.
fn merged_data(world: &World, input: &Value) -> ApiResult<(Value, (String, u64))> {
    let own: Vec<(Cow<'static, str>, Value)> = match input {
        Value::Map(members) => {
            let own = members.iter().filter(|(key, _)| !OF_THE_CALL.contains(&key.as_ref()));
            own.cloned().collect()
        }
        _ => Vec::new(),
    };
    let own = launch_data::to_response_form(&Value::Map(own))?;
    let spec = input.get("LaunchTemplate");
    if spec.is_null() {
        return Ok((own, (String::new(), 0)));
    }
    let template =
        resolve(&world.ec2, spec.str("LaunchTemplateId"), spec.str("LaunchTemplateName"))?;
    let number = template.resolve_version(spec.str("Version"))?;
    let base = template.versions.get(&number).map_or(Value::Null, |version| version.data.clone());
    Ok((launch_data::merged(&base, own), (template.id.clone(), number)))
}

/// Returns the subnet of a launch: the one named, otherwise a default subnet in the named zone or in any zone.
fn subnet(world: &World, input: &Value, data: &Value) -> ApiResult<String> {
    let interface = data.list("networkInterfaceSet").first();
    let named = input.str("SubnetId").or(interface.and_then(|i| i.str("subnetId")));
    if let Some(id) = named {
        let known = world.ec2.subnets.contains_key(id);
        return if known { Ok(id.to_owned()) } else { Err(SUBNET.not_found(id)) };
    }
    let zone = data.get("placement").str("availabilityZone");
    let mut defaults = world.ec2.subnets.iter().filter(|(_, subnet)| subnet.is_default);
    let found = defaults.find(|(_, subnet)| zone.is_none_or(|zone| subnet.zone == zone));
    found.map(|(id, _)| id.clone()).ok_or_else(|| match network::default_vpc(&world.ec2) {
        Some(_) => ApiError::sender("MissingInput", "No subnets found for the default VPC. Please specify a subnet."),
        None => ApiError::sender(
            "VPCIdNotSpecified",
            "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.",
        ),
    })
}

/// Returns the tags for instances; those for volumes and interfaces are accepted and dropped.
fn tags_of_instances(input: &Value) -> ApiResult<Tags> {
    let ours = |s: &&Value| s.str("ResourceType") == Some("instance");
    let other = |s: &Value| {
        matches!(
            s.str("ResourceType"),
            Some(
                "instance"
                    | "volume"
                    | "network-interface"
                    | "spot-instances-request"
                    | "elastic-gpu"
            )
        )
    };
    let given = input.list("TagSpecification");
    if let Some(strange) = given.iter().find(|s| !other(s)) {
        return Err(invalid_value(format!(
            "'{}' is not a valid taggable resource type for this operation.",
            strange.str("ResourceType").unwrap_or_default()
        )));
    }
    let own: Vec<Value> = given.iter().filter(ours).cloned().collect();
    tags::read_specifications(&map([("TagSpecification", own.into())]), INSTANCE)
}
