//! Where instances are, and what they boot from: zones, subnets, machine images.

use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// An Availability Zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// The identifier that is the same in every account, for example `apne2-az1`.
    pub id: String,
    /// False while the zone is lost.
    pub alive: bool,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its Availability Zone.
    pub zone: String,
    /// Its network.
    pub vpc: String,
    /// The first three numbers of its addresses, for example `10.0.1`.
    pub prefix: String,
    /// How many addresses it has given.
    pub given: u64,
}

impl Subnet {
    /// The next address; a /24 has 250 to give before it begins again.
    pub(super) fn next_address(&mut self) -> String {
        let host = 4 + self.given % 250;
        self.given += 1;
        format!("{}.{host}", self.prefix)
    }
}

/// A machine image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
}

/// `DescribeAvailabilityZones`.
pub(super) fn describe_zones(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("ZoneName");
    if let Some(name) = wanted.iter().find(|name| !world.ec2.zones.contains_key(*name)) {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            format!("Invalid availability zone: [{name}]"),
        ));
    }
    let zones = world
        .ec2
        .zones
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.contains(name))
        .map(|(name, zone)| {
            map([
                ("optInStatus", "opt-in-not-required".into()),
                ("regionName", world.region.as_str().into()),
                ("zoneName", name.as_str().into()),
                ("zoneId", zone.id.as_str().into()),
                ("groupName", world.region.as_str().into()),
                ("networkBorderGroup", world.region.as_str().into()),
                ("zoneType", "availability-zone".into()),
                // Zones fail without EC2 saying so here.
                ("zoneState", "available".into()),
            ])
        })
        .collect::<Vec<_>>();
    Ok(map([("availabilityZoneInfo", zones.into())]))
}

/// `DescribeSubnets`.
pub(super) fn describe_subnets(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("SubnetId");
    if let Some(id) = wanted.iter().find(|id| !world.ec2.subnets.contains_key(*id)) {
        return Err(ApiError::sender(
            "InvalidSubnetID.NotFound",
            format!("The subnet ID '{id}' does not exist"),
        ));
    }
    let subnets = world
        .ec2
        .subnets
        .iter()
        .filter(|(id, _)| wanted.is_empty() || wanted.contains(id))
        .filter(|(id, subnet)| {
            super::passes(input, |name| match name {
                "subnet-id" => vec![(*id).clone()],
                "vpc-id" => vec![subnet.vpc.clone()],
                "availability-zone" => vec![subnet.zone.clone()],
                _ => Vec::new(),
            })
        })
        .map(|(id, subnet)| {
            map([
                ("subnetId", id.as_str().into()),
                ("state", "available".into()),
                ("vpcId", subnet.vpc.as_str().into()),
                ("cidrBlock", format!("{}.0/24", subnet.prefix).into()),
                ("availableIpAddressCount", 251_i64.into()),
                ("availabilityZone", subnet.zone.as_str().into()),
                ("defaultForAz", false.into()),
                ("ownerId", world.account.as_str().into()),
            ])
        })
        .collect::<Vec<_>>();
    Ok(map([("subnetSet", subnets.into())]))
}

/// `DescribeImages`.
pub(super) fn describe_images(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("ImageId");
    if let Some(id) = wanted.iter().find(|id| !world.ec2.machines.contains_key(*id)) {
        return Err(ApiError::sender(
            "InvalidAMIID.NotFound",
            format!("The image id '[{id}]' does not exist"),
        ));
    }
    let images = world
        .ec2
        .machines
        .iter()
        .filter(|(id, _)| wanted.is_empty() || wanted.contains(id))
        .map(|(id, machine)| {
            map([
                ("imageId", id.as_str().into()),
                ("imageState", "available".into()),
                ("name", machine.name.as_str().into()),
                ("architecture", machine.architecture.as_str().into()),
                ("imageType", "machine".into()),
                ("rootDeviceType", "ebs".into()),
                ("virtualizationType", "hvm".into()),
            ])
        })
        .collect::<Vec<_>>();
    Ok(map([("imagesSet", images.into())]))
}
