//! Virtual private clouds.

use ipnet::Ipv4Net;

use super::super::errors::{
    ResourceKind, VPC, dependency, invalid_value, missing_parameter, required_str,
};
use super::super::listing::{self, Describable};
use super::super::state::State;
use super::super::tags::{self, success};
use super::vpc::{Vpc, read_cidr};
use super::{dependencies, find, routes, security_groups};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most VPCs in a Region (quota).
const QUOTA: usize = 5;

/// The specification of a new VPC.
#[derive(Debug, Clone)]
pub struct VpcSpec {
    /// Its id, `vpc-…`; its main route table and default security group get the same suffix.
    pub id: String,
    /// Its IPv4 CIDR block.
    pub cidr: Ipv4Net,
    /// Whether it becomes the account's default VPC.
    pub is_default: bool,
}

/// Adds a VPC with its main route table and default security group.
pub fn create_vpc(state: &mut State, spec: VpcSpec) {
    let VpcSpec { id, cidr, is_default } = spec;
    let suffix = id.trim_start_matches("vpc-").to_owned();
    let vpc = Vpc { cidr, is_default, dns_support: true, dns_hostnames: is_default };
    state.vpcs.insert(id.clone(), vpc);
    routes::put_main(state, &format!("rtb-{suffix}"), &id);
    security_groups::put_default(state, &format!("sg-{suffix}"), &id);
}

/// `CreateVpc`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let cidr = read_cidr(required_str(input, "CidrBlock")?)?;
    if !(16..=28).contains(&cidr.prefix_len()) {
        return Err(ApiError::sender("InvalidVpc.Range", format!("The CIDR '{cidr}' is invalid.")));
    }
    let given = tags::read_specifications(input, VPC)?;
    if world.ec2.vpcs.len() >= QUOTA {
        return Err(ApiError::sender(
            "VpcLimitExceeded",
            "The maximum number of VPCs has been reached.",
        ));
    }
    let id = world.ids.ec2("vpc");
    create_vpc(&mut world.ec2, VpcSpec { id: id.clone(), cidr, is_default: false });
    tags::put(&mut world.ec2, &id, given);
    let none = Value::List(Vec::new());
    Ok(map([("vpc", write(world, &id, "pending").with("ipv6CidrBlockAssociationSet", none))]))
}

/// `DescribeVpcs`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    listing::describe(world, input, &world.ec2.vpcs)
}

/// `DescribeVpcAttribute`.
pub(super) fn describe_attribute(world: &World, input: &Value) -> ApiResult<Value> {
    let id = required_str(input, "VpcId")?;
    let vpc = find::vpc(world, id)?;
    let flag = |on: bool| map([("value", on.into())]);
    let attribute = match required_str(input, "Attribute")? {
        "enableDnsSupport" => ("enableDnsSupport", flag(vpc.dns_support)),
        "enableDnsHostnames" => ("enableDnsHostnames", flag(vpc.dns_hostnames)),
        "enableNetworkAddressUsageMetrics" => ("enableNetworkAddressUsageMetrics", flag(false)),
        other => {
            return Err(invalid_value(format!(
                "Value ({other}) for parameter attribute is invalid. Unknown attribute."
            )));
        }
    };
    Ok(map([("vpcId", id.into()), attribute]))
}

/// `ModifyVpcAttribute`: one attribute per call.
pub(super) fn modify_attribute(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = required_str(input, "VpcId")?;
    find::vpc(world, id)?;
    let flag = |key: &str| input.get(key).bool("Value");
    let (support, names) = (flag("EnableDnsSupport"), flag("EnableDnsHostnames"));
    if support.is_some() && names.is_some() {
        return Err(ApiError::sender(
            "InvalidParameterCombination",
            "Only one attribute can be modified at a time",
        ));
    }
    if support.is_none() && names.is_none() && flag("EnableNetworkAddressUsageMetrics").is_none() {
        return Err(missing_parameter("attribute"));
    }
    if let Some(vpc) = world.ec2.vpcs.get_mut(id) {
        vpc.dns_support = support.unwrap_or(vpc.dns_support);
        vpc.dns_hostnames = names.unwrap_or(vpc.dns_hostnames);
    }
    Ok(success())
}

/// `DeleteVpc`: also deletes its main route table and default security group; refused while it contains
/// anything else.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = required_str(input, "VpcId")?.to_owned();
    find::vpc(world, &id)?;
    if dependencies::vpc_in_use(world, &id) {
        return Err(dependency(format!("The vpc '{id}' has dependencies and cannot be deleted.")));
    }
    let state = &mut world.ec2;
    state.vpcs.remove(&id);
    state.route_tables.retain(|_, table| table.vpc != id);
    state.security_groups.retain(|_, group| group.vpc != id);
    state.remove_orphaned_tags();
    Ok(success())
}

impl Describable for Vpc {
    const KIND: ResourceKind = VPC;
    const IDS: &'static str = "VpcId";
    const SET: &'static str = "vpcSet";
    const FILTERS: &'static [&'static str] = &[
        "vpc-id",
        "cidr",
        "cidr-block",
        "cidrBlock",
        "cidr-block-association.cidr-block",
        "state",
        "is-default",
        "isDefault",
        "owner-id",
        "dhcp-options-id",
    ];

    fn filter_values(&self, id: &str, name: &str, world: &World) -> Vec<String> {
        vec![match name {
            "vpc-id" => id.to_owned(),
            "state" => "available".to_owned(),
            "is-default" | "isDefault" => self.is_default.to_string(),
            "owner-id" => world.account.clone(),
            "dhcp-options-id" => "default".to_owned(),
            _ => self.cidr.to_string(),
        }]
    }

    fn write(&self, id: &str, world: &World) -> Value {
        write(world, id, "available")
    }
}

fn write(world: &World, id: &str, state: &str) -> Value {
    let Some(vpc) = world.ec2.vpcs.get(id) else { return Value::Null };
    let cidr = vpc.cidr.to_string();
    let association = map([
        ("associationId", id.replacen("vpc-", "vpc-cidr-assoc-", 1).into()),
        ("cidrBlock", cidr.as_str().into()),
        ("cidrBlockState", map([("state", "associated".into())])),
    ]);
    map([
        ("vpcId", id.into()),
        ("ownerId", world.account.as_str().into()),
        ("state", state.into()),
        ("cidrBlock", cidr.into()),
        ("cidrBlockAssociationSet", Value::List(vec![association])),
        ("dhcpOptionsId", "default".into()),
        ("instanceTenancy", "default".into()),
        ("isDefault", vpc.is_default.into()),
        ("tagSet", tags::write(&world.ec2, id)),
    ])
}
