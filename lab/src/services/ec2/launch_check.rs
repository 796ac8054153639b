//! The checks of every launch.

use super::errors::{IMAGE, KEY_PAIR, SECURITY_GROUP, SUBNET, invalid_value, missing_parameter};
use super::{images, instance_types, network};
use crate::services::iam;
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::World;

/// Checks that an instance can be launched in a subnet from launch data: the AMI, instance type, key pair,
/// instance profile and security groups must exist. Returns the ids of the security groups.
pub(super) fn check_launch(world: &World, data: &Value, subnet: &str) -> ApiResult<Vec<String>> {
    let image = data.str("imageId").ok_or_else(|| missing_parameter("ImageId"))?;
    let image = images::resolve_image(world, image);
    let machine = world.ec2.amis.get(&image).ok_or_else(|| IMAGE.not_found(&image))?;
    let kind = data.str("instanceType").unwrap_or(instance_types::DEFAULT);
    let architecture = instance_types::architecture(kind)
        .ok_or_else(|| invalid_value(format!("Invalid value '{kind}' for InstanceType.")))?;
    if architecture != machine.architecture {
        return Err(invalid_value(format!(
            "The architecture '{architecture}' of the specified instance type does not match the architecture '{}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.",
            machine.architecture
        )));
    }
    if let Some(name) = data.str("keyName")
        && !world.ec2.key_pairs.values().any(|pair| pair.name == name)
    {
        return Err(ApiError::sender(
            format!("{}.NotFound", KEY_PAIR.code()),
            format!("The key pair '{name}' does not exist"),
        ));
    }
    check_profile(world, data.get("iamInstanceProfile"))?;
    let place = world.ec2.subnets.get(subnet).ok_or_else(|| SUBNET.not_found(subnet))?;
    security_groups(world, data, &place.vpc)
}

fn check_profile(world: &World, profile: &Value) -> ApiResult<()> {
    let (arn, name) = (profile.str("arn"), profile.str("name"));
    let known = iam::find_instance_profile(world, arn, name).is_some();
    match (known, arn, name) {
        (true, ..) | (_, None, None) => Ok(()),
        (false, Some(arn), _) => Err(invalid_value(format!(
            "Value ({arn}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN"
        ))),
        (false, None, Some(name)) => Err(invalid_value(format!(
            "Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
        ))),
    }
}

/// Returns the security groups of a launch: its own and its interface's, otherwise the VPC's default one.
fn security_groups(world: &World, data: &Value, vpc: &str) -> ApiResult<Vec<String>> {
    let interface = data.list("networkInterfaceSet").first();
    let mut groups = data.strings("securityGroupIdSet");
    groups.extend(interface.map(|i| i.strings("groupSet")).unwrap_or_default());
    for name in data.strings("securityGroupSet") {
        let id = network::group_by_name(&world.ec2, &name).ok_or_else(|| {
            ApiError::sender(
                "InvalidGroup.NotFound",
                format!("The security group '{name}' does not exist in default VPC"),
            )
        })?;
        groups.push(id);
    }
    for id in &groups {
        let group =
            world.ec2.security_groups.get(id).ok_or_else(|| SECURITY_GROUP.not_found(id))?;
        if group.vpc != vpc {
            return Err(ApiError::sender(
                "InvalidParameter",
                format!("Security group {id} and subnet belong to different networks."),
            ));
        }
    }
    if groups.is_empty() {
        groups.extend(network::default_of(&world.ec2, vpc));
    }
    Ok(groups)
}
