//! The default VPC of a new account, account attributes, and the list of resources that were created and not
//! deleted.

use ipnet::Ipv4Net;

use super::super::instance::InstanceState;
use super::super::stable_id::stable_id;
use super::super::state::State;
use super::find::default_vpc;
use super::gateway::InternetGateway;
use super::route_table::RouteTarget;
use super::subnet::Subnet;
use super::vpcs::{VpcSpec, create_vpc};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The default VPC's CIDR block; each zone's default subnet is a /20 of it (user guide).
const BLOCK: Ipv4Net = Ipv4Net::new_assert(std::net::Ipv4Addr::new(172, 31, 0, 0), 16);

/// Adds the default VPC: a public subnet in each zone, an internet gateway, and a route to it.
pub(in super::super) fn add_default_vpc(state: &mut State) {
    let suffix = stable_id("default-vpc");
    let vpc = format!("vpc-0{suffix}");
    create_vpc(state, VpcSpec { id: vpc.clone(), cidr: BLOCK, is_default: true });
    let gateway = format!("igw-0{suffix}");
    if let Some(table) = state.route_tables.get_mut(&format!("rtb-0{suffix}")) {
        table.routes.insert("0.0.0.0/0".to_owned(), RouteTarget::Gateway(gateway.clone()));
    }
    state.gateways.insert(gateway, InternetGateway { vpc: Some(vpc.clone()) });
    let zones: Vec<String> = state.zones.keys().cloned().collect();
    for (zone, cidr) in zones.iter().zip(BLOCK.subnets(20).into_iter().flatten()) {
        let subnet =
            Subnet { map_public_ip: true, is_default: true, ..Subnet::new(zone, &vpc, cidr) };
        state.subnets.insert(format!("subnet-0{}", stable_id(zone)), subnet);
    }
}

/// `CreateDefaultVpc`, for an account that has deleted its default VPC.
pub(super) fn create_default_vpc(world: &mut World) -> ApiResult<Value> {
    if default_vpc(&world.ec2).is_some() {
        return Err(ApiError::sender(
            "DefaultVpcAlreadyExists",
            "A Default VPC already exists for this account in this region.",
        ));
    }
    add_default_vpc(&mut world.ec2);
    let id = default_vpc(&world.ec2).unwrap_or_default();
    let found = super::vpcs::describe(world, &map([("VpcId", vec![id.into()].into())]))?;
    Ok(map([("vpc", found.list("vpcSet").first().cloned().unwrap_or(Value::Null))]))
}

/// `DescribeAccountAttributes`.
pub(super) fn describe_attributes(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("AttributeName");
    let default = default_vpc(&world.ec2).unwrap_or_else(|| "none".to_owned());
    let all = [
        ("supported-platforms", "VPC".to_owned()),
        ("default-vpc", default),
        ("max-instances", "20".to_owned()),
        ("vpc-max-security-groups-per-interface", "5".to_owned()),
        ("max-elastic-ips", "5".to_owned()),
        ("vpc-max-elastic-ips", "5".to_owned()),
    ];
    let written = all
        .into_iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|w| w == name))
        .map(|(name, value)| {
            let values = Value::List(vec![map([("attributeValue", value.into())])]);
            map([("attributeName", name.into()), ("attributeValueSet", values)])
        });
    Ok(map([("accountAttributeSet", Value::List(written.collect()))]))
}

/// Returns the ids of all resources in EC2 that a new account doesn't have, except terminated instances.
pub fn leftovers(world: &World) -> Vec<String> {
    let state = &world.ec2;
    let vpc = default_vpc(state);
    let ours = |of: &str| vpc.as_deref() != Some(of);
    let vpcs = state.vpcs.keys().filter(|id| ours(id));
    let subnets = state.subnets.iter().filter(|(_, s)| ours(&s.vpc) || !s.is_default);
    let gateways = state.gateways.iter().filter(|(_, g)| g.vpc.as_deref().is_none_or(ours));
    let tables = state.route_tables.iter().filter(|(_, t)| ours(&t.vpc) || t.main.is_none());
    let groups = state.security_groups.iter().filter(|(_, g)| ours(&g.vpc) || g.name != "default");
    let instances = state.instances.iter().filter(|(_, i)| i.state != InstanceState::Terminated);
    vpcs.chain(subnets.map(|(id, _)| id))
        .chain(gateways.map(|(id, _)| id))
        .chain(tables.map(|(id, _)| id))
        .chain(groups.map(|(id, _)| id))
        .chain(instances.map(|(id, _)| id))
        .chain(state.templates.keys())
        .chain(state.key_pairs.keys())
        .cloned()
        .collect()
}
