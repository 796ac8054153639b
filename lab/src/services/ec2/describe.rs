//! `DescribeInstances`, and the form of an instance in responses.

use super::errors::{INSTANCE, invalid_value};
use super::instance::{Instance, InstanceState};
use super::listing::Filters;
use super::tags;
use crate::services::iam;
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The filters of `DescribeInstances`, except those on tags.
const FILTERS: &[&str] = &[
    "instance-id",
    "instance-state-name",
    "instance-state-code",
    "availability-zone",
    "subnet-id",
    "vpc-id",
    "image-id",
    "instance-type",
    "key-name",
    "private-ip-address",
    "ip-address",
    "private-dns-name",
    "dns-name",
    "instance.group-id",
    "group-id",
    "instance.group-name",
    "group-name",
    "reservation-id",
    "owner-id",
    "architecture",
    "iam-instance-profile.arn",
    "network-interface.subnet-id",
    "network-interface.vpc-id",
    "network-interface.group-id",
    "metadata-options.http-tokens",
];

/// `DescribeInstances`. Each instance has its own reservation, as is common for launches by Auto Scaling.
pub(super) fn instances(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = requested_ids(world, input)?;
    let filters = Filters::read(input, FILTERS)?;
    let found = world
        .ec2
        .instances
        .iter()
        .filter(|(id, _)| wanted.is_empty() || wanted.contains(id))
        .filter(|(id, instance)| {
            filters.matches(&world.ec2, id, |name| field(world, id, instance, name))
        })
        .map(|(id, _)| reservation(world, std::slice::from_ref(id)))
        .collect();
    let size = match input.int("MaxResults") {
        None => 1000,
        Some(size @ 5..=1000) => size as usize,
        Some(size) => {
            return Err(invalid_value(format!(
                "Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."
            )));
        }
    };
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("reservationSet", items.into()), ("nextToken", next.into())]))
}

/// Returns the ids that a listing names, all of which must exist. Ids and `MaxResults` are mutually
/// exclusive (API model).
pub(super) fn requested_ids(world: &World, input: &Value) -> ApiResult<Vec<String>> {
    let ids = input.strings("InstanceId");
    if !ids.is_empty() && !input.get("MaxResults").is_null() {
        return Err(ApiError::sender(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        ));
    }
    let missing: Vec<&String> =
        ids.iter().filter(|id| !world.ec2.instances.contains_key(*id)).collect();
    match missing.as_slice() {
        [] => Ok(ids),
        [one] => Err(INSTANCE.not_found(one)),
        several => Err(several_missing(several)),
    }
}

/// Returns the error for several ids that don't exist.
pub(super) fn several_missing(ids: &[&String]) -> ApiError {
    let all: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    ApiError::sender(
        "InvalidInstanceID.NotFound",
        format!("The instance IDs '{}' do not exist", all.join(", ")),
    )
}

/// Returns the values that a filter compares with.
fn field(world: &World, id: &str, instance: &Instance, name: &str) -> Vec<String> {
    let text = |key: &str| instance.data.str(key).map(str::to_owned).into_iter().collect();
    let vpc = || world.ec2.subnets.get(&instance.subnet).map(|subnet| subnet.vpc.clone());
    match name.trim_start_matches("network-interface.").trim_start_matches("instance.") {
        "instance-id" | "id" => vec![id.to_owned()],
        "instance-state-name" => vec![instance.state.code().1.to_owned()],
        "instance-state-code" => vec![instance.state.code().0.to_string()],
        "availability-zone" => vec![instance.zone.clone()],
        "subnet-id" => vec![instance.subnet.clone()],
        "vpc-id" => vpc().into_iter().collect(),
        "image-id" => text("imageId"),
        "instance-type" => text("instanceType"),
        "key-name" => text("keyName"),
        "private-ip-address" => vec![instance.private_ip.clone()],
        "ip-address" => instance.public_ip.clone().into_iter().collect(),
        "private-dns-name" => vec![private_name(world, instance)],
        "dns-name" => public_name(world, instance).into_iter().collect(),
        "group-id" => instance.security_groups.clone(),
        "group-name" => instance
            .security_groups
            .iter()
            .filter_map(|id| world.ec2.security_groups.get(id).map(|group| group.name.clone()))
            .collect(),
        "reservation-id" => vec![id.replacen("i-", "r-", 1)],
        "owner-id" => vec![world.account.clone()],
        "architecture" => vec![architecture(world, instance)],
        "iam-instance-profile.arn" => {
            profile(world, instance).str("arn").map(str::to_owned).into_iter().collect()
        }
        _ => {
            let tokens = instance.data.get("metadataOptions").str("httpTokens");
            vec![tokens.unwrap_or("optional").to_owned()]
        }
    }
}

/// Formats the reservation of instances that were launched together.
pub(super) fn reservation(world: &World, ids: &[String]) -> Value {
    let instances = ids.iter().enumerate().filter_map(|(place, id)| {
        world.ec2.instances.get(id).map(|instance| to_value(world, id, instance, place))
    });
    let first = ids.first().map(|id| id.replacen("i-", "r-", 1));
    map([
        ("reservationId", first.into()),
        ("ownerId", world.account.as_str().into()),
        ("groupSet", Value::List(Vec::new())),
        ("instancesSet", Value::List(instances.collect())),
    ])
}

fn to_value(world: &World, id: &str, instance: &Instance, place: usize) -> Value {
    let (code, state) = instance.state.code();
    let groups: Vec<Value> = instance
        .security_groups
        .iter()
        .map(|group| {
            let name = world.ec2.security_groups.get(group).map(|group| group.name.clone());
            map([("groupId", group.as_str().into()), ("groupName", name.into())])
        })
        .collect();
    let vpc: Value = world.ec2.subnets.get(&instance.subnet).map(|s| s.vpc.clone()).into();
    let gone = instance.state == InstanceState::Terminated;
    // A terminated instance no longer has an address.
    let here = |value: Value| if gone { Value::Null } else { value };
    let text = |key: &str| -> Value { instance.data.str(key).into() };
    let options = |value: &str| Value::from(value);
    let metadata = instance.data.get("metadataOptions");
    let metadata = map([
        ("state", "applied".into()),
        ("httpTokens", options(metadata.str("httpTokens").unwrap_or("optional"))),
        ("httpPutResponseHopLimit", metadata.int("httpPutResponseHopLimit").unwrap_or(1).into()),
        ("httpEndpoint", options(metadata.str("httpEndpoint").unwrap_or("enabled"))),
        ("httpProtocolIpv6", options("disabled")),
        (
            "instanceMetadataTags",
            options(metadata.str("instanceMetadataTags").unwrap_or("disabled")),
        ),
    ]);
    let interface = map([
        ("networkInterfaceId", id.replacen("i-", "eni-", 1).into()),
        ("subnetId", instance.subnet.as_str().into()),
        ("vpcId", vpc.clone()),
        ("status", "in-use".into()),
        ("ownerId", world.account.as_str().into()),
        ("privateIpAddress", instance.private_ip.as_str().into()),
        ("groupSet", groups.clone().into()),
    ]);
    let interfaces = if gone { Vec::new() } else { vec![interface] };
    let (monitored, reason) = (instance.data.get("monitoring").bool("enabled"), reason(instance));
    let placement = map([
        ("tenancy", "default".into()),
        ("groupName", "".into()),
        ("availabilityZone", instance.zone.as_str().into()),
    ]);
    map([
        ("instanceId", id.into()),
        ("imageId", text("imageId")),
        ("instanceState", map([("code", code.into()), ("name", state.into())])),
        ("privateDnsName", private_name(world, instance).into()),
        ("dnsName", public_name(world, instance).unwrap_or_default().into()),
        ("reason", reason.0.into()),
        ("stateReason", reason.1),
        ("keyName", text("keyName")),
        ("amiLaunchIndex", i64::try_from(place).unwrap_or_default().into()),
        ("instanceType", instance.data.str("instanceType").unwrap_or("m1.small").into()),
        ("launchTime", instance.launched.into()),
        ("placement", placement),
        (
            "monitoring",
            map([("state", if monitored == Some(true) { "enabled" } else { "disabled" }.into())]),
        ),
        ("subnetId", here(instance.subnet.as_str().into())),
        ("vpcId", here(vpc)),
        ("privateIpAddress", here(instance.private_ip.as_str().into())),
        ("ipAddress", here(instance.public_ip.clone().into())),
        ("sourceDestCheck", true.into()),
        ("architecture", architecture(world, instance).into()),
        ("ebsOptimized", instance.data.bool("ebsOptimized").unwrap_or(false).into()),
        ("enaSupport", true.into()),
        ("hypervisor", "xen".into()),
        ("rootDeviceName", "/dev/xvda".into()),
        ("rootDeviceType", "ebs".into()),
        ("virtualizationType", "hvm".into()),
        ("iamInstanceProfile", profile(world, instance)),
        ("groupSet", if gone { Value::List(Vec::new()) } else { groups.into() }),
        ("networkInterfaceSet", interfaces.into()),
        ("blockDeviceMapping", Value::List(Vec::new())),
        ("tagSet", tags::write(&world.ec2, id)),
        ("metadataOptions", metadata),
    ])
}

/// Returns `reason` and `stateReason` of an instance.
fn reason(instance: &Instance) -> (&'static str, Value) {
    match instance.state {
        InstanceState::Pending | InstanceState::Running => ("", Value::Null),
        _ => {
            let code = "Client.UserInitiatedShutdown";
            let message = "Client.UserInitiatedShutdown: User initiated shutdown";
            let reason = map([("code", code.into()), ("message", message.into())]);
            ("User initiated", reason)
        }
    }
}

fn architecture(world: &World, instance: &Instance) -> String {
    let image = instance.data.str("imageId").and_then(|id| world.ec2.amis.get(id));
    image.map_or_else(|| "x86_64".to_owned(), |image| image.architecture.clone())
}

fn profile(world: &World, instance: &Instance) -> Value {
    let spec = instance.data.get("iamInstanceProfile");
    let Some(profile) = iam::find_instance_profile(world, spec.str("arn"), spec.str("name")) else {
        return Value::Null;
    };
    map([("arn", profile.arn.as_str().into()), ("id", profile.id.as_str().into())])
}

/// Returns `ip-10-0-1-4.ap-northeast-2.compute.internal`; empty for a terminated instance.
fn private_name(world: &World, instance: &Instance) -> String {
    if instance.state == InstanceState::Terminated {
        return String::new();
    }
    format!("ip-{}.{}.compute.internal", instance.private_ip.replace('.', "-"), world.region)
}

/// Returns the public DNS name, if the instance has a public address and its VPC has DNS hostnames enabled.
fn public_name(world: &World, instance: &Instance) -> Option<String> {
    let subnet = world.ec2.subnets.get(&instance.subnet)?;
    let names = world.ec2.vpcs.get(&subnet.vpc)?.dns_hostnames;
    let ip = instance.public_ip.as_ref().filter(|_| names)?;
    (instance.state != InstanceState::Terminated)
        .then(|| format!("ec2-{}.{}.compute.amazonaws.com", ip.replace('.', "-"), world.region))
}
