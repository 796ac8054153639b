//! Dependencies that prevent the deletion of a resource.

use super::interfaces;
use super::security_group::RulePeer;
use super::subnet::Subnet;
use crate::world::World;

/// Returns whether a VPC contains anything that a new VPC doesn't.
pub(super) fn vpc_in_use(world: &World, vpc: &str) -> bool {
    let state = &world.ec2;
    state.subnets.values().any(|subnet| subnet.vpc == vpc)
        || state.gateways.values().any(|gateway| gateway.vpc.as_deref() == Some(vpc))
        || state.route_tables.values().any(|table| table.vpc == vpc && table.main.is_none())
        || state.security_groups.values().any(|g| g.vpc == vpc && g.name != "default")
}

/// Returns whether any network interface is in a subnet.
pub(super) fn subnet_in_use(world: &World, subnet: &str) -> bool {
    interfaces::all(world).values().any(|interface| interface.subnet == subnet)
}

/// Returns whether a network interface has a security group, or a rule of another group refers to it.
pub(super) fn security_group_in_use(world: &World, group: &str) -> bool {
    let named = RulePeer::Group(group.to_owned());
    let by_rules = world
        .ec2
        .security_groups
        .iter()
        .any(|(id, other)| id != group && other.rules.values().any(|rule| rule.peer == named));
    by_rules || interfaces::all(world).values().any(|i| i.groups.iter().any(|g| g == group))
}

/// Returns whether any network interface in a VPC has a public address.
pub(super) fn has_public_addresses(world: &World, vpc: &str) -> bool {
    let within = |subnet: &str| world.ec2.subnets.get(subnet).is_some_and(|s| s.vpc == vpc);
    interfaces::all(world).values().any(|i| i.is_public() && within(&i.subnet))
}

/// Returns the number of available addresses in a subnet.
pub(crate) fn available_addresses(world: &World, subnet: &str) -> u32 {
    let all = world.ec2.subnets.get(subnet).map_or(0, Subnet::capacity);
    let taken = interfaces::all(world).values().filter(|i| i.subnet == subnet).count();
    all.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX))
}
