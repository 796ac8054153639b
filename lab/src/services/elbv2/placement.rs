//! The subnets of a load balancer, one per zone and all in one VPC, and its security groups.

use std::collections::BTreeMap;

use super::errors::validation;
use crate::services::ec2;
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::World;

/// How many free addresses a subnet must have (user guide).
const FREE: u32 = 8;

/// A valid set of subnets.
pub(super) struct Placement {
    /// The id of the subnet in each zone.
    pub(super) subnets: BTreeMap<String, String>,
    /// The id of their VPC.
    pub(super) vpc: String,
}

/// Reads `Subnets` and `SubnetMappings`. Errors: SubnetNotFound, InvalidConfigurationRequest,
/// InvalidSubnet.
pub(super) fn read(world: &World, input: &Value, scheme: &str) -> ApiResult<Placement> {
    let mut named = input.strings("Subnets");
    named.extend(
        input.list("SubnetMappings").iter().filter_map(|m| m.str("SubnetId")).map(Into::into),
    );
    if named.is_empty() {
        return Err(validation("At least two subnets must be specified"));
    }
    let (mut subnets, mut vpc): (BTreeMap<_, _>, Option<String>) = (BTreeMap::new(), None);
    for id in named {
        let place = world.ec2.subnets.get(&id).ok_or_else(|| {
            ApiError::sender("SubnetNotFound", format!("The subnet ID '{id}' does not exist"))
        })?;
        if vpc.get_or_insert_with(|| place.vpc.clone()) != &place.vpc {
            return Err(ApiError::sender(
                "InvalidConfigurationRequest",
                "All subnets must belong to the same VPC",
            ));
        }
        if ec2::available_addresses(world, &id) < FREE {
            return Err(ApiError::sender(
                "InvalidSubnet",
                format!(
                    "Not enough IP space available in {id}. ELB requires at least {FREE} free IP addresses in each subnet."
                ),
            ));
        }
        let zone = place.zone.clone();
        if subnets.insert(zone.clone(), id).is_some() {
            return Err(ApiError::sender(
                "InvalidConfigurationRequest",
                format!(
                    "A load balancer cannot be attached to multiple subnets in the same Availability Zone: {zone}"
                ),
            ));
        }
    }
    let vpc = vpc.unwrap_or_default();
    if scheme == "internet-facing" && ec2::gateway_of(world, &vpc).is_none() {
        return Err(ApiError::sender(
            "InvalidSubnet",
            format!("VPC {vpc} has no internet gateway"),
        ));
    }
    Ok(Placement { subnets, vpc })
}

/// Checks that the subnets are in at least two zones.
pub(super) fn check_zone_count(subnets: &BTreeMap<String, String>) -> ApiResult<()> {
    if subnets.len() >= 2 {
        return Ok(());
    }
    Err(ApiError::sender(
        "InvalidConfigurationRequest",
        "At least two subnets in two different Availability Zones must be specified",
    ))
}

/// Returns the security groups that a call names, otherwise the VPC's default one.
pub(super) fn security_groups(world: &World, vpc: &str, input: &Value) -> ApiResult<Vec<String>> {
    ec2::balancer_groups(world, vpc, &input.strings("SecurityGroups")).map_err(|missing| {
        ApiError::sender(
            "InvalidSecurityGroup",
            format!("One or more security groups are invalid: {missing}"),
        )
    })
}

/// Returns the id of the subnets' VPC; empty if none of the subnets exists.
pub(super) fn vpc_of(world: &World, subnets: &BTreeMap<String, String>) -> String {
    let mut places = subnets.values().filter_map(|id| world.ec2.subnets.get(id));
    places.next().map(|place| place.vpc.clone()).unwrap_or_default()
}
