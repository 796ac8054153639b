//! Subnets.

use super::super::errors::{
    ResourceKind, SUBNET, has_dependencies, invalid_value, missing_parameter, required_str,
};
use super::super::listing::{self, Describable};
use super::super::tags::{self, success};
use super::subnet::Subnet;
use super::vpc::read_cidr;
use super::{dependencies, find, routes};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most subnets in a VPC (quota).
const QUOTA: usize = 200;

/// `CreateSubnet`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let vpc_id = required_str(input, "VpcId")?.to_owned();
    let vpc = find::vpc(world, &vpc_id)?.clone();
    let text = required_str(input, "CidrBlock")?;
    let cidr = read_cidr(text)?;
    let within = vpc.cidr.contains(&cidr) && (16..=28).contains(&cidr.prefix_len());
    if !within {
        return Err(ApiError::sender(
            "InvalidSubnet.Range",
            format!("The CIDR '{text}' is invalid."),
        ));
    }
    let siblings = || world.ec2.subnets.values().filter(|subnet| subnet.vpc == vpc_id);
    let overlaps = |s: &Subnet| s.cidr.contains(&cidr) || cidr.contains(&s.cidr);
    if siblings().any(overlaps) {
        return Err(ApiError::sender(
            "InvalidSubnet.Conflict",
            format!("The CIDR '{text}' conflicts with another subnet"),
        ));
    }
    if siblings().count() >= QUOTA {
        return Err(ApiError::sender(
            "SubnetLimitExceeded",
            format!("The maximum number of subnets of {vpc_id} has been reached."),
        ));
    }
    let zone = zone(world, input)?;
    let given = tags::read_specifications(input, SUBNET)?;
    let id = world.ids.ec2("subnet");
    world.ec2.subnets.insert(id.clone(), Subnet::new(&zone, &vpc_id, cidr));
    tags::put(&mut world.ec2, &id, given);
    let written = world.ec2.subnets.get(&id).map(|subnet| subnet.write(&id, world));
    Ok(map([("subnet", written.into())]))
}

/// Returns the zone of a new subnet. AWS chooses one if the caller doesn't; the lab takes the first.
fn zone(world: &World, input: &Value) -> ApiResult<String> {
    let zones = &world.ec2.zones;
    let known = || zones.keys().cloned().collect::<Vec<_>>().join(", ");
    match (input.str("AvailabilityZone"), input.str("AvailabilityZoneId")) {
        (Some(name), _) if zones.contains_key(name) => Ok(name.to_owned()),
        (Some(name), _) => Err(invalid_value(format!(
            "Value ({name}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {}.",
            known()
        ))),
        (None, Some(wanted)) => {
            let found = zones.iter().find(|(_, zone)| zone.id == wanted);
            found.map(|(name, _)| name.clone()).ok_or_else(|| {
                invalid_value(format!(
                    "Value ({wanted}) for parameter availabilityZoneId is invalid."
                ))
            })
        }
        (None, None) => {
            zones.keys().next().cloned().ok_or_else(|| missing_parameter("AvailabilityZone"))
        }
    }
}

/// `DescribeSubnets`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    listing::describe(world, input, &world.ec2.subnets)
}

/// `ModifySubnetAttribute`: supports `MapPublicIpOnLaunch`; other attributes are accepted and ignored.
pub(super) fn modify_attribute(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = required_str(input, "SubnetId")?;
    let subnet = world.ec2.subnets.get_mut(id).ok_or_else(|| SUBNET.not_found(id))?;
    if let Some(public) = input.get("MapPublicIpOnLaunch").bool("Value") {
        subnet.map_public_ip = public;
    }
    Ok(success())
}

/// `DeleteSubnet`: refused while anything has an address in it.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = required_str(input, "SubnetId")?.to_owned();
    if !world.ec2.subnets.contains_key(&id) {
        return Err(SUBNET.not_found(&id));
    }
    if dependencies::subnet_in_use(world, &id) {
        return Err(has_dependencies("subnet", &id));
    }
    world.ec2.subnets.remove(&id);
    routes::forget_subnet(world, &id);
    world.ec2.remove_orphaned_tags();
    Ok(success())
}

impl Describable for Subnet {
    const KIND: ResourceKind = SUBNET;
    const IDS: &'static str = "SubnetId";
    const SET: &'static str = "subnetSet";
    const FILTERS: &'static [&'static str] = &[
        "subnet-id",
        "vpc-id",
        "availability-zone",
        "availabilityZone",
        "availability-zone-id",
        "cidr-block",
        "cidr",
        "cidrBlock",
        "default-for-az",
        "defaultForAz",
        "map-public-ip-on-launch",
        "state",
        "owner-id",
        "subnet-arn",
        "available-ip-address-count",
    ];

    fn filter_values(&self, id: &str, name: &str, world: &World) -> Vec<String> {
        vec![match name {
            "subnet-id" => id.to_owned(),
            "vpc-id" => self.vpc.clone(),
            "availability-zone" | "availabilityZone" => self.zone.clone(),
            "availability-zone-id" => zone_id(world, &self.zone),
            "default-for-az" | "defaultForAz" => self.is_default.to_string(),
            "map-public-ip-on-launch" => self.map_public_ip.to_string(),
            "state" => "available".to_owned(),
            "owner-id" => world.account.clone(),
            "subnet-arn" => arn(world, id),
            "available-ip-address-count" => {
                dependencies::available_addresses(world, id).to_string()
            }
            _ => self.cidr.to_string(),
        }]
    }

    fn write(&self, id: &str, world: &World) -> Value {
        map([
            ("subnetId", id.into()),
            ("subnetArn", arn(world, id).into()),
            ("state", "available".into()),
            ("vpcId", self.vpc.as_str().into()),
            ("cidrBlock", self.cidr.to_string().into()),
            ("availableIpAddressCount", dependencies::available_addresses(world, id).into()),
            ("availabilityZone", self.zone.as_str().into()),
            ("availabilityZoneId", zone_id(world, &self.zone).into()),
            ("defaultForAz", self.is_default.into()),
            ("mapPublicIpOnLaunch", self.map_public_ip.into()),
            ("assignIpv6AddressOnCreation", false.into()),
            ("ipv6Native", false.into()),
            ("ipv6CidrBlockAssociationSet", Value::List(Vec::new())),
            ("enableDns64", false.into()),
            ("privateDnsNameOptionsOnLaunch", names()),
            ("ownerId", world.account.as_str().into()),
            ("tagSet", tags::write(&world.ec2, id)),
        ])
    }
}

/// Returns the host name options of a new subnet (user guide).
fn names() -> Value {
    map([
        ("hostnameType", "ip-name".into()),
        ("enableResourceNameDnsARecord", false.into()),
        ("enableResourceNameDnsAAAARecord", false.into()),
    ])
}

fn arn(world: &World, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:subnet/{id}", world.region, world.account)
}

fn zone_id(world: &World, name: &str) -> String {
    world.ec2.zones.get(name).map(|zone| zone.id.clone()).unwrap_or_default()
}
