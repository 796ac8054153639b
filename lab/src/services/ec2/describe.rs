//! `DescribeInstances`.

use super::{Instance, InstanceState};
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// Each instance in a reservation of its own, as Auto Scaling's launches are often found.
pub(super) fn instances(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("InstanceId");
    if let Some(missing) = wanted.iter().find(|id| !world.ec2.instances.contains_key(*id)) {
        return Err(ApiError::sender(
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{missing}' does not exist"),
        ));
    }
    let found = world
        .ec2
        .instances
        .iter()
        .filter(|(id, _)| wanted.is_empty() || wanted.contains(id))
        .filter(|(id, instance)| super::passes(input, |name| field(id, instance, name)))
        .map(|(id, instance)| reservation(world, id, instance))
        .collect();
    let size = input.int("MaxResults").map_or(1000, |n| n.clamp(5, 1000) as usize);
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("reservationSet", items.into()), ("nextToken", next.into())]))
}

/// The values that a filter looks at.
fn field(id: &str, instance: &Instance, name: &str) -> Vec<String> {
    match name {
        "instance-id" => vec![id.to_owned()],
        "instance-state-name" => vec![instance.state.code().1.to_owned()],
        "availability-zone" => vec![instance.zone.clone()],
        "subnet-id" => vec![instance.subnet.clone()],
        "private-ip-address" => vec![instance.private_ip.clone()],
        "tag-key" => instance.tags.keys().cloned().collect(),
        _ => name
            .strip_prefix("tag:")
            .and_then(|key| instance.tags.get(key))
            .map(|value| vec![value.clone()])
            .unwrap_or_default(),
    }
}

fn reservation(world: &World, id: &str, instance: &Instance) -> Value {
    map([
        ("reservationId", id.replacen("i-", "r-", 1).into()),
        ("ownerId", world.account.as_str().into()),
        ("groupSet", Value::List(Vec::new())),
        ("instancesSet", Value::List(vec![to_value(world, id, instance)])),
    ])
}

fn to_value(world: &World, id: &str, instance: &Instance) -> Value {
    let (code, state) = instance.state.code();
    let profile = instance.data.get("iamInstanceProfile");
    let profile = match (profile.str("arn"), profile.str("name")) {
        (Some(arn), _) => map([("arn", arn.into())]),
        (None, Some(name)) => {
            let arn = format!("arn:aws:iam::{}:instance-profile/{name}", world.account);
            map([("arn", arn.into())])
        }
        (None, None) => Value::Null,
    };
    let groups = instance
        .data
        .strings("securityGroupIdSet")
        .into_iter()
        .map(|group| map([("groupId", group.as_str().into()), ("groupName", group.into())]))
        .collect::<Vec<_>>();
    let tags = instance
        .tags
        .iter()
        .map(|(key, value)| map([("key", key.as_str().into()), ("value", value.as_str().into())]))
        .collect::<Vec<_>>();
    let subnet = world.ec2.subnets.get(&instance.subnet);
    let gone = matches!(instance.state, InstanceState::Terminated);
    let text = |key: &str| -> Value { instance.data.str(key).into() };
    map([
        ("instanceId", id.into()),
        ("imageId", text("imageId")),
        ("instanceState", map([("code", code.into()), ("name", state.into())])),
        ("keyName", text("keyName")),
        ("amiLaunchIndex", 0_i64.into()),
        ("instanceType", text("instanceType")),
        ("launchTime", instance.launched.into()),
        (
            "placement",
            map([
                ("tenancy", "default".into()),
                ("availabilityZone", instance.zone.as_str().into()),
            ]),
        ),
        ("monitoring", map([("state", "disabled".into())])),
        ("subnetId", (!gone).then(|| instance.subnet.clone()).into()),
        ("vpcId", subnet.filter(|_| !gone).map(|subnet| subnet.vpc.clone()).into()),
        ("privateIpAddress", (!gone).then(|| instance.private_ip.clone()).into()),
        ("architecture", "x86_64".into()),
        ("rootDeviceType", "ebs".into()),
        ("virtualizationType", "hvm".into()),
        ("iamInstanceProfile", profile),
        ("groupSet", groups.into()),
        ("tagSet", tags.into()),
        ("metadataOptions", instance.data.get("metadataOptions").clone()),
    ])
}
