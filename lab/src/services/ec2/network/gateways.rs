//! Internet gateways.

use super::super::errors::{GATEWAY, ResourceKind, dependency, has_dependencies, required_str};
use super::super::listing::{self, Describable};
use super::super::tags::{self, success};
use super::gateway::InternetGateway;
use super::{dependencies, find};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most internet gateways in a Region (quota; the same as that of VPCs).
const QUOTA: usize = 5;

/// `CreateInternetGateway`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let given = tags::read_specifications(input, GATEWAY)?;
    if world.ec2.gateways.len() >= QUOTA {
        return Err(ApiError::sender(
            "InternetGatewayLimitExceeded",
            "The maximum number of internet gateways has been reached.",
        ));
    }
    let id = world.ids.ec2("igw");
    world.ec2.gateways.insert(id.clone(), InternetGateway::default());
    tags::put(&mut world.ec2, &id, given);
    let written = world.ec2.gateways.get(&id).map(|gateway| gateway.write(&id, world));
    Ok(map([("internetGateway", written.into())]))
}

/// `DescribeInternetGateways`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    listing::describe(world, input, &world.ec2.gateways)
}

/// `AttachInternetGateway`: at most one gateway per VPC and one VPC per gateway.
pub(super) fn attach(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (id, vpc) = (required_str(input, "InternetGatewayId")?, required_str(input, "VpcId")?);
    let gateway = find(world, id)?;
    find::vpc(world, vpc)?;
    let attached = |what: String| ApiError::sender("Resource.AlreadyAssociated", what);
    if gateway.vpc.is_some() {
        return Err(attached(format!(
            "resource {id} is already attached to network {}",
            gateway.vpc.as_deref().unwrap_or_default()
        )));
    }
    if of_vpc(world, vpc).is_some() {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            format!("Network {vpc} already has an internet gateway attached"),
        ));
    }
    if let Some(gateway) = world.ec2.gateways.get_mut(id) {
        gateway.vpc = Some(vpc.to_owned());
    }
    Ok(success())
}

/// `DetachInternetGateway`: refused while anything in the VPC has a public address.
pub(super) fn detach(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (id, vpc) = (required_str(input, "InternetGatewayId")?, required_str(input, "VpcId")?);
    if find(world, id)?.vpc.as_deref() != Some(vpc) {
        return Err(ApiError::sender(
            "Gateway.NotAttached",
            format!("resource {id} is not attached to network {vpc}"),
        ));
    }
    if dependencies::has_public_addresses(world, vpc) {
        return Err(dependency(format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        )));
    }
    if let Some(gateway) = world.ec2.gateways.get_mut(id) {
        gateway.vpc = None;
    }
    Ok(success())
}

/// `DeleteInternetGateway`.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = required_str(input, "InternetGatewayId")?.to_owned();
    if find(world, &id)?.vpc.is_some() {
        return Err(has_dependencies("internetGateway", &id));
    }
    world.ec2.gateways.remove(&id);
    world.ec2.remove_orphaned_tags();
    Ok(success())
}

/// Returns the internet gateway of a VPC, if it has one.
pub(crate) fn of_vpc<'w>(world: &'w World, vpc: &str) -> Option<&'w str> {
    let mut all = world.ec2.gateways.iter();
    all.find(|(_, gateway)| gateway.vpc.as_deref() == Some(vpc)).map(|(id, _)| id.as_str())
}

fn find<'w>(world: &'w World, id: &str) -> ApiResult<&'w InternetGateway> {
    world.ec2.gateways.get(id).ok_or_else(|| GATEWAY.not_found(id))
}

impl Describable for InternetGateway {
    const KIND: ResourceKind = GATEWAY;
    const IDS: &'static str = "InternetGatewayId";
    const SET: &'static str = "internetGatewaySet";
    const FILTERS: &'static [&'static str] =
        &["internet-gateway-id", "attachment.vpc-id", "attachment.state", "owner-id"];

    fn filter_values(&self, id: &str, name: &str, world: &World) -> Vec<String> {
        match name {
            "internet-gateway-id" => vec![id.to_owned()],
            "owner-id" => vec![world.account.clone()],
            "attachment.state" => self.vpc.iter().map(|_| "available".to_owned()).collect(),
            _ => self.vpc.clone().into_iter().collect(),
        }
    }

    fn write(&self, id: &str, world: &World) -> Value {
        // The service returns `available`, although the enum in the API model has `attached`.
        let attachments = self
            .vpc
            .iter()
            .map(|vpc| map([("state", "available".into()), ("vpcId", vpc.as_str().into())]));
        map([
            ("internetGatewayId", id.into()),
            ("ownerId", world.account.as_str().into()),
            ("attachmentSet", Value::List(attachments.collect())),
            ("tagSet", tags::write(&world.ec2, id)),
        ])
    }
}
