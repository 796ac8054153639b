//! Who needs what: why something cannot be deleted yet.

use super::interfaces;
use super::security_groups::Peer;
use super::subnets::Subnet;
use crate::world::World;

/// Whether a VPC has anything that it didn't begin with.
pub(super) fn of_vpc(world: &World, vpc: &str) -> bool {
    let state = &world.ec2;
    state.subnets.values().any(|subnet| subnet.vpc == vpc)
        || state.gateways.values().any(|gateway| gateway.vpc.as_deref() == Some(vpc))
        || state.route_tables.values().any(|table| table.vpc == vpc && table.main.is_none())
        || state.security_groups.values().any(|g| g.vpc == vpc && g.name != "default")
}

/// Whether anything has an address in a subnet.
pub(super) fn of_subnet(world: &World, subnet: &str) -> bool {
    interfaces::all(world).values().any(|interface| interface.subnet == subnet)
}

/// Whether an interface is in a security group, or a rule of another names it.
pub(super) fn of_security_group(world: &World, group: &str) -> bool {
    let named = Peer::Group(group.to_owned());
    let by_rules = world
        .ec2
        .security_groups
        .iter()
        .any(|(id, other)| id != group && other.rules.values().any(|rule| rule.peer == named));
    by_rules || interfaces::all(world).values().any(|i| i.groups.iter().any(|g| g == group))
}

/// Whether anything in a VPC has a public address.
pub(super) fn public_addresses(world: &World, vpc: &str) -> bool {
    let within = |subnet: &str| world.ec2.subnets.get(subnet).is_some_and(|s| s.vpc == vpc);
    interfaces::all(world).values().any(|i| i.is_public() && within(&i.subnet))
}

/// How many addresses a subnet has left.
pub(crate) fn free_addresses(world: &World, subnet: &str) -> u32 {
    let all = world.ec2.subnets.get(subnet).map_or(0, Subnet::capacity);
    let taken = interfaces::all(world).values().filter(|i| i.subnet == subnet).count();
    all.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX))
}
