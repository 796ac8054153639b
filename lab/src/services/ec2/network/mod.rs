//! Networking: VPCs with their subnets, internet gateways, route tables and security groups.

mod account;
mod dependencies;
mod find;
pub(crate) mod gateway;
mod gateways;
mod interfaces;
mod ip_permissions;
pub(crate) mod route_table;
mod routes;
pub(crate) mod security_group;
mod security_groups;
mod security_rules;
pub(crate) mod subnet;
mod subnets;
#[cfg(test)]
mod tests;
pub(crate) mod vpc;
mod vpcs;

use crate::wire::{ApiResult, Call, Value};
use crate::world::World;

pub use account::leftovers;
pub use gateway::InternetGateway;
pub use route_table::{RouteTable, RouteTarget};
pub use security_group::{RulePeer, SecurityGroup, SecurityRule};
pub use subnet::Subnet;
pub use vpc::Vpc;
pub use vpcs::{VpcSpec, create_vpc};

pub(crate) use dependencies::available_addresses;
pub(crate) use gateways::of_vpc as gateway_of;
pub(crate) use security_groups::balancer_groups;

pub(super) use account::add_default_vpc;
pub(super) use find::{default_of, default_vpc, group_by_name};
pub(super) use interfaces::public_address;

/// Handles a networking call; returns none for any other operation.
pub(super) fn call(world: &mut World, call: &Call) -> Option<ApiResult<Value>> {
    let input = &call.input;
    Some(match call.operation.as_str() {
        "CreateVpc" => vpcs::create(world, input),
        "CreateDefaultVpc" => account::create_default_vpc(world),
        "DescribeVpcs" => vpcs::describe(world, input),
        "DescribeVpcAttribute" => vpcs::describe_attribute(world, input),
        "ModifyVpcAttribute" => vpcs::modify_attribute(world, input),
        "DeleteVpc" => vpcs::delete(world, input),
        "CreateSubnet" => subnets::create(world, input),
        "DescribeSubnets" => subnets::describe(world, input),
        "ModifySubnetAttribute" => subnets::modify_attribute(world, input),
        "DeleteSubnet" => subnets::delete(world, input),
        "CreateInternetGateway" => gateways::create(world, input),
        "DescribeInternetGateways" => gateways::describe(world, input),
        "AttachInternetGateway" => gateways::attach(world, input),
        "DetachInternetGateway" => gateways::detach(world, input),
        "DeleteInternetGateway" => gateways::delete(world, input),
        "CreateRouteTable" => routes::create(world, input),
        "DescribeRouteTables" => routes::describe(world, input),
        "DeleteRouteTable" => routes::delete(world, input),
        "AssociateRouteTable" => routes::associate(world, input),
        "ReplaceRouteTableAssociation" => routes::replace_association(world, input),
        "DisassociateRouteTable" => routes::disassociate(world, input),
        "CreateRoute" => routes::create_route(world, input, false),
        "ReplaceRoute" => routes::create_route(world, input, true),
        "DeleteRoute" => routes::delete_route(world, input),
        "CreateSecurityGroup" => security_groups::create(world, input),
        "DescribeSecurityGroups" => security_groups::describe(world, input),
        "DeleteSecurityGroup" => security_groups::delete(world, input),
        "AuthorizeSecurityGroupIngress" => security_rules::authorize(world, input, false),
        "AuthorizeSecurityGroupEgress" => security_rules::authorize(world, input, true),
        "RevokeSecurityGroupIngress" => security_rules::revoke(world, input, false),
        "RevokeSecurityGroupEgress" => security_rules::revoke(world, input, true),
        "DescribeSecurityGroupRules" => security_rules::describe(world, input),
        "ModifySecurityGroupRules" => security_rules::modify(world, input),
        "UpdateSecurityGroupRuleDescriptionsIngress" => {
            security_rules::update_descriptions(world, input, false)
        }
        "UpdateSecurityGroupRuleDescriptionsEgress" => {
            security_rules::update_descriptions(world, input, true)
        }
        "DescribeNetworkInterfaces" => interfaces::describe(world, input),
        "DescribeAccountAttributes" => account::describe_attributes(world, input),
        _ => return None,
    })
}
