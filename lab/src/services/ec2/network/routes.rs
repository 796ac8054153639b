//! Route tables: associations and routes. They are stored and described, but do not affect traffic in the lab.

use std::collections::BTreeMap;

use super::super::errors::{
    GATEWAY, ROUTE_TABLE, ResourceKind, SUBNET, has_dependencies, invalid_value, missing_parameter,
    required_str,
};
use super::super::listing::{self, Describable};
use super::super::state::State;
use super::super::tags::{self, success};
use super::find;
use super::route_table::{RouteTable, RouteTarget};
use super::vpc::read_cidr;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most routes in a route table (quota).
const ROUTES: usize = 50;
/// The most route tables in a VPC (quota).
const QUOTA: usize = 200;

/// Adds the main route table of a new VPC.
pub(super) fn put_main(state: &mut State, id: &str, vpc: &str) {
    let main = Some(id.replacen("rtb-", "rtbassoc-", 1));
    let table =
        RouteTable { vpc: vpc.to_owned(), main, subnets: BTreeMap::new(), routes: BTreeMap::new() };
    state.route_tables.insert(id.to_owned(), table);
}

/// `CreateRouteTable`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let vpc = required_str(input, "VpcId")?.to_owned();
    find::vpc(world, &vpc)?;
    let given = tags::read_specifications(input, ROUTE_TABLE)?;
    if world.ec2.route_tables.values().filter(|table| table.vpc == vpc).count() >= QUOTA {
        return Err(ApiError::sender(
            "RouteTableLimitExceeded",
            "The maximum number of route tables has been reached.",
        ));
    }
    let id = world.ids.ec2("rtb");
    let table = RouteTable { vpc, main: None, subnets: BTreeMap::new(), routes: BTreeMap::new() };
    world.ec2.route_tables.insert(id.clone(), table);
    tags::put(&mut world.ec2, &id, given);
    let written = find(world, &id)?.write(&id, world);
    Ok(map([("routeTable", written), ("clientToken", input.str("ClientToken").into())]))
}

/// `DescribeRouteTables`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    listing::describe(world, input, &world.ec2.route_tables)
}

/// `DeleteRouteTable`: refused for a main route table or one with associations.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = required_str(input, "RouteTableId")?.to_owned();
    let table = find(world, &id)?;
    if table.main.is_some() || !table.subnets.is_empty() {
        return Err(has_dependencies("routeTable", &id));
    }
    world.ec2.route_tables.remove(&id);
    world.ec2.remove_orphaned_tags();
    Ok(success())
}

/// `AssociateRouteTable`: a subnet has at most one association.
pub(super) fn associate(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (id, subnet) = (required_str(input, "RouteTableId")?, required_str(input, "SubnetId")?);
    let table = find(world, id)?;
    let place = world.ec2.subnets.get(subnet).ok_or_else(|| SUBNET.not_found(subnet))?;
    if place.vpc != table.vpc {
        return Err(invalid_value(format!(
            "Route table {id} and subnet {subnet} belong to different networks"
        )));
    }
    if let Some((association, _)) = table.subnets.iter().find(|(_, used)| *used == subnet) {
        return Ok(associated("associationId", association));
    }
    let taken = world.ec2.route_tables.values().find_map(|table| {
        table.subnets.iter().find(|(_, used)| *used == subnet).map(|(association, _)| association)
    });
    if let Some(association) = taken {
        return Err(ApiError::sender(
            "Resource.AlreadyAssociated",
            format!(
                "the specified association for route table {id} conflicts with an existing association: {association}"
            ),
        ));
    }
    let association = world.ids.ec2("rtbassoc");
    if let Some(table) = world.ec2.route_tables.get_mut(id) {
        table.subnets.insert(association.clone(), subnet.to_owned());
    }
    Ok(associated("associationId", &association))
}

/// `ReplaceRouteTableAssociation`: changes the route table of a subnet, or the main route table.
pub(super) fn replace_association(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (old, id) =
        (required_str(input, "AssociationId")?, required_str(input, "RouteTableId")?.to_owned());
    find(world, &id)?;
    let from = table_of_association(world, old)?;
    let association = world.ids.ec2("rtbassoc");
    let tables = &mut world.ec2.route_tables;
    let Some(before) = tables.get_mut(&from) else { return Err(ROUTE_TABLE.not_found(&from)) };
    let subnet = before.subnets.remove(old);
    if subnet.is_none() {
        before.main = None;
    }
    if let Some(table) = tables.get_mut(&id) {
        match subnet {
            Some(subnet) => {
                table.subnets.insert(association.clone(), subnet);
            }
            None => table.main = Some(association.clone()),
        }
    }
    Ok(associated("newAssociationId", &association))
}

/// `DisassociateRouteTable`: the subnet then uses the main route table.
pub(super) fn disassociate(world: &mut World, input: &Value) -> ApiResult<Value> {
    let association = required_str(input, "AssociationId")?;
    let id = table_of_association(world, association)?;
    if let Some(table) = world.ec2.route_tables.get_mut(&id)
        && table.subnets.remove(association).is_none()
    {
        return Err(invalid_value(format!(
            "cannot disassociate the main route table association {association}"
        )));
    }
    Ok(success())
}

/// `CreateRoute`, or `ReplaceRoute` if `replace`.
pub(super) fn create_route(world: &mut World, input: &Value, replace: bool) -> ApiResult<Value> {
    let id = required_str(input, "RouteTableId")?;
    let table = find(world, id)?;
    let destination = destination(input)?;
    let known = table.routes.contains_key(&destination);
    let local = find::vpc(world, &table.vpc)?.cidr.to_string() == destination;
    if !replace && (known || local) {
        return Err(ApiError::sender(
            "RouteAlreadyExists",
            format!("The route identified by {destination} already exists."),
        ));
    }
    if replace && !known {
        return Err(no_route(id, &destination));
    }
    if !replace && table.routes.len() + 1 >= ROUTES {
        return Err(ApiError::sender(
            "RouteLimitExceeded",
            format!("The maximum number of routes of {id} has been reached."),
        ));
    }
    let via = route_target(world, input, table)?;
    if let Some(table) = world.ec2.route_tables.get_mut(id) {
        table.routes.insert(destination, via);
    }
    Ok(success())
}

/// `DeleteRoute`.
pub(super) fn delete_route(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = required_str(input, "RouteTableId")?;
    let (vpc, destination) = (find(world, id)?.vpc.clone(), destination(input)?);
    if find::vpc(world, &vpc)?.cidr.to_string() == destination {
        return Err(invalid_value(format!(
            "cannot remove local route {destination} in route table {id}"
        )));
    }
    let table = world.ec2.route_tables.get_mut(id);
    match table.and_then(|table| table.routes.remove(&destination)) {
        Some(_) => Ok(success()),
        None => Err(no_route(id, &destination)),
    }
}

/// Removes the association of a deleted subnet.
pub(super) fn forget_subnet(world: &mut World, subnet: &str) {
    for table in world.ec2.route_tables.values_mut() {
        table.subnets.retain(|_, used| used != subnet);
    }
}

fn find<'w>(world: &'w World, id: &str) -> ApiResult<&'w RouteTable> {
    world.ec2.route_tables.get(id).ok_or_else(|| ROUTE_TABLE.not_found(id))
}

/// Returns the id of the route table that has an association.
fn table_of_association(world: &World, association: &str) -> ApiResult<String> {
    let has = |table: &RouteTable| {
        table.main.as_deref() == Some(association) || table.subnets.contains_key(association)
    };
    let found = world.ec2.route_tables.iter().find(|(_, table)| has(table));
    found.map(|(id, _)| id.clone()).ok_or_else(|| {
        ApiError::sender(
            "InvalidAssociationID.NotFound",
            format!("The association ID '{association}' does not exist"),
        )
    })
}

fn no_route(id: &str, destination: &str) -> ApiError {
    ApiError::sender(
        "InvalidRoute.NotFound",
        format!("no route with destination-cidr-block {destination} in route table {id}"),
    )
}

fn destination(input: &Value) -> ApiResult<String> {
    match (input.str("DestinationCidrBlock"), input.str("DestinationIpv6CidrBlock")) {
        (Some(text), None) => Ok(read_cidr(text)
            .map_err(|_| {
                invalid_value(format!(
                    "Value ({text}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."
                ))
            })?
            .to_string()),
        (None, Some(text)) => Ok(text.to_owned()),
        _ => Err(missing_parameter("destinationCidrBlock")),
    }
}

fn route_target(world: &World, input: &Value, table: &RouteTable) -> ApiResult<RouteTarget> {
    if let Some(gateway) = input.str("GatewayId") {
        if gateway == "local" {
            return Ok(RouteTarget::Local);
        }
        let found = world.ec2.gateways.get(gateway).ok_or_else(|| {
            if gateway.starts_with("igw-") {
                return GATEWAY.not_found(gateway);
            }
            ApiError::sender(
                "InvalidGatewayID.NotFound",
                format!("The gateway ID '{gateway}' does not exist"),
            )
        })?;
        if found.vpc.as_deref() != Some(table.vpc.as_str()) {
            return Err(invalid_value(format!(
                "route table and network gateway {gateway} belong to different networks"
            )));
        }
        return Ok(RouteTarget::Gateway(gateway.to_owned()));
    }
    const OTHERS: [(&str, &str); 5] = [
        ("NatGatewayId", "natGatewayId"),
        ("InstanceId", "instanceId"),
        ("NetworkInterfaceId", "networkInterfaceId"),
        ("TransitGatewayId", "transitGatewayId"),
        ("VpcPeeringConnectionId", "vpcPeeringConnectionId"),
    ];
    let other = OTHERS.iter().find_map(|(given, shown)| Some((*shown, input.str(given)?)));
    other
        .map(|(shown, id)| RouteTarget::Other(shown, id.to_owned()))
        .ok_or_else(|| missing_parameter("gatewayId"))
}

fn associated(member: &'static str, association: &str) -> Value {
    map([(member, association.into()), ("associationState", map([("state", "associated".into())]))])
}

impl RouteTable {
    /// Returns whether a route is a blackhole: its gateway is no longer attached to the VPC.
    fn is_black_hole(&self, via: &RouteTarget, world: &World) -> bool {
        let RouteTarget::Gateway(id) = via else { return false };
        world.ec2.gateways.get(id).and_then(|g| g.vpc.as_ref()) != Some(&self.vpc)
    }
}

impl Describable for RouteTable {
    const KIND: ResourceKind = ROUTE_TABLE;
    const IDS: &'static str = "RouteTableId";
    const SET: &'static str = "routeTableSet";
    const FILTERS: &'static [&'static str] = &[
        "route-table-id",
        "vpc-id",
        "owner-id",
        "association.main",
        "association.subnet-id",
        "association.route-table-id",
        "association.route-table-association-id",
        "route.destination-cidr-block",
        "route.gateway-id",
        "route.state",
    ];

    fn filter_values(&self, id: &str, name: &str, world: &World) -> Vec<String> {
        match name {
            "route-table-id" => vec![id.to_owned()],
            "vpc-id" => vec![self.vpc.clone()],
            "owner-id" => vec![world.account.clone()],
            "association.main" => {
                let others = self.subnets.iter().map(|_| "false".to_owned());
                self.main.iter().map(|_| "true".to_owned()).chain(others).collect()
            }
            "association.subnet-id" => self.subnets.values().cloned().collect(),
            "association.route-table-id" if self.main.is_some() || !self.subnets.is_empty() => {
                vec![id.to_owned()]
            }
            "association.route-table-id" => Vec::new(),
            "association.route-table-association-id" => {
                self.main.iter().chain(self.subnets.keys()).cloned().collect()
            }
            "route.destination-cidr-block" => {
                let local = world.ec2.vpcs.get(&self.vpc).map(|vpc| vpc.cidr.to_string());
                local.into_iter().chain(self.routes.keys().cloned()).collect()
            }
            "route.gateway-id" => {
                let gateways = self.routes.values().filter_map(|via| match via {
                    RouteTarget::Gateway(id) => Some(id.clone()),
                    _ => None,
                });
                std::iter::once("local".to_owned()).chain(gateways).collect()
            }
            _ => {
                let state =
                    |via| if self.is_black_hole(via, world) { "blackhole" } else { "active" };
                let own = self.routes.values().map(|via| state(via).to_owned());
                std::iter::once("active".to_owned()).chain(own).collect()
            }
        }
    }

    fn write(&self, id: &str, world: &World) -> Value {
        let association = |association: &str, subnet: Option<&str>| {
            map([
                ("routeTableAssociationId", association.into()),
                ("routeTableId", id.into()),
                ("subnetId", subnet.into()),
                ("main", subnet.is_none().into()),
                ("associationState", map([("state", "associated".into())])),
            ])
        };
        let main = self.main.iter().map(|main| association(main, None));
        let own = self.subnets.iter().map(|(name, subnet)| association(name, Some(subnet)));
        let route = |destination: &str, via: &RouteTarget, origin: &str| {
            let (member, target) = match via {
                RouteTarget::Local => ("gatewayId", "local"),
                RouteTarget::Gateway(id) => ("gatewayId", id.as_str()),
                RouteTarget::Other(member, id) => (*member, id.as_str()),
            };
            let six = destination.contains(':');
            let state = if self.is_black_hole(via, world) { "blackhole" } else { "active" };
            map([
                (
                    if six { "destinationIpv6CidrBlock" } else { "destinationCidrBlock" },
                    destination.into(),
                ),
                (member, target.into()),
                ("origin", origin.into()),
                ("state", state.into()),
            ])
        };
        let cidr = world.ec2.vpcs.get(&self.vpc).map(|vpc| vpc.cidr.to_string());
        let local = cidr.iter().map(|cidr| route(cidr, &RouteTarget::Local, "CreateRouteTable"));
        let routes = self.routes.iter().map(|(to, via)| route(to, via, "CreateRoute"));
        map([
            ("routeTableId", id.into()),
            ("vpcId", self.vpc.as_str().into()),
            ("ownerId", world.account.as_str().into()),
            ("associationSet", Value::List(main.chain(own).collect())),
            ("routeSet", Value::List(local.chain(routes).collect())),
            ("propagatingVgwSet", Value::List(Vec::new())),
            ("tagSet", tags::write(&world.ec2, id)),
        ])
    }
}
