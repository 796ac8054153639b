//! Security groups. They are stored and described; the lab enforces none of their rules.

use std::collections::BTreeMap;

use super::super::errors::{
    ResourceKind, SECURITY_GROUP, dependency, invalid_value, missing_parameter, required_str,
};
use super::super::listing::{self, Describable, paginate};
use super::super::state::State;
use super::super::tags;
use super::find::{self, default_of, default_vpc, group_by_name};
use super::security_group::{RulePeer, SecurityGroup, SecurityRule};
use super::{dependencies, ip_permissions};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most security groups in a Region (quota).
const QUOTA: usize = 2500;

/// Adds the default security group of a new VPC: it allows inbound traffic from its members, and all outbound
/// traffic.
pub(super) fn put_default(state: &mut State, id: &str, vpc: &str) {
    let own = id.trim_start_matches("sg-");
    let everything = |egress, peer| SecurityRule {
        egress,
        protocol: "-1".to_owned(),
        ports: None,
        peer,
        description: None,
    };
    let within = everything(false, RulePeer::Group(id.to_owned()));
    let out = everything(true, RulePeer::Ipv4("0.0.0.0/0".to_owned()));
    let group = SecurityGroup {
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        vpc: vpc.to_owned(),
        rules: BTreeMap::from([(format!("sgr-{own}"), within), (format!("sgr-e{own}"), out)]),
    };
    state.security_groups.insert(id.to_owned(), group);
}

/// `CreateSecurityGroup`, by default in the default VPC. The new group allows all outbound traffic.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, description) =
        (required_str(input, "GroupName")?, required_str(input, "GroupDescription")?);
    let vpc = match input.str("VpcId") {
        Some(vpc) => vpc.to_owned(),
        None => default_vpc(&world.ec2).ok_or_else(|| {
            ApiError::sender(
                "VPCIdNotSpecified",
                "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.",
            )
        })?,
    };
    find::vpc(world, &vpc)?;
    check_names(name, description)?;
    let mut others = world.ec2.security_groups.values();
    if others.any(|group| group.vpc == vpc && group.name == name) {
        return Err(ApiError::sender(
            "InvalidGroup.Duplicate",
            format!("The security group '{name}' already exists for VPC '{vpc}'"),
        ));
    }
    if world.ec2.security_groups.len() >= QUOTA {
        return Err(ApiError::sender(
            "SecurityGroupLimitExceeded",
            "The maximum number of security groups has been reached.",
        ));
    }
    let given = tags::read_specifications(input, SECURITY_GROUP)?;
    let (id, rule) = (world.ids.ec2("sg"), world.ids.ec2("sgr"));
    let out = SecurityRule {
        egress: true,
        protocol: "-1".to_owned(),
        ports: None,
        peer: RulePeer::Ipv4("0.0.0.0/0".to_owned()),
        description: None,
    };
    let group = SecurityGroup {
        name: name.to_owned(),
        description: description.to_owned(),
        vpc,
        rules: BTreeMap::from([(rule, out)]),
    };
    world.ec2.security_groups.insert(id.clone(), group);
    tags::put(&mut world.ec2, &id, given);
    Ok(map([
        ("groupId", id.as_str().into()),
        ("securityGroupArn", arn(world, &id).into()),
        ("tagSet", tags::write(&world.ec2, &id)),
    ]))
}

/// Checks name and description by the service's rules (API model).
fn check_names(name: &str, description: &str) -> ApiResult<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if name == "default" {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            "Cannot use reserved security group name: default",
        ));
    }
    if name.starts_with("sg-") {
        return Err(invalid_value(format!(
            "Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*."
        )));
    }
    for (what, text) in [("groupName", name), ("GroupDescription", description)] {
        if text.chars().count() > 255 || !text.chars().all(plain) {
            return Err(invalid_value(format!(
                "Value ({text}) for parameter {what} is invalid. Character sets beyond ASCII are not supported."
            )));
        }
    }
    Ok(())
}

/// `DescribeSecurityGroups`, by id or by name.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let names = input.strings("GroupName");
    let all = &world.ec2.security_groups;
    if let Some(missing) = names.iter().find(|name| !all.values().any(|g| g.name == **name)) {
        return Err(no_group_named(missing));
    }
    let found = listing::select(world, input, all)?.into_iter();
    let named = found.filter(|(_, group)| names.is_empty() || names.contains(&group.name));
    let (items, next) = paginate(input, named.map(|(id, group)| group.write(id, world)).collect())?;
    Ok(map([("securityGroupInfo", items.into()), ("nextToken", next.into())]))
}

/// `DeleteSecurityGroup`: refused for a default group or one in use.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = of_request(world, input)?;
    if world.ec2.security_groups.get(&id).is_some_and(|group| group.name == "default") {
        return Err(ApiError::sender(
            "CannotDelete",
            format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user"),
        ));
    }
    if dependencies::security_group_in_use(world, &id) {
        return Err(dependency(format!("resource {id} has a dependent object")));
    }
    world.ec2.security_groups.remove(&id);
    world.ec2.remove_orphaned_tags();
    Ok(map([("return", true.into()), ("groupId", id.into())]))
}

/// Returns the id of the group that a call names, by id or by name in the default VPC.
pub(super) fn of_request(world: &World, input: &Value) -> ApiResult<String> {
    match (input.str("GroupId"), input.str("GroupName")) {
        (Some(id), _) if world.ec2.security_groups.contains_key(id) => Ok(id.to_owned()),
        (Some(id), _) => Err(SECURITY_GROUP.not_found(id)),
        (None, Some(name)) => group_by_name(&world.ec2, name).ok_or_else(|| no_group_named(name)),
        (None, None) => Err(missing_parameter("groupId")),
    }
}

/// Returns the security groups of a load balancer in a VPC: those that a call names, which must be in that VPC,
/// otherwise the default one. The error is the first id that doesn't exist there.
pub(crate) fn balancer_groups(
    world: &World,
    vpc: &str,
    named: &[String],
) -> Result<Vec<String>, String> {
    if named.is_empty() {
        return Ok(default_of(&world.ec2, vpc).into_iter().collect());
    }
    let known = |id: &String| world.ec2.security_groups.get(id).is_some_and(|g| g.vpc == vpc);
    match named.iter().find(|id| !known(id)) {
        Some(missing) => Err(missing.clone()),
        None => Ok(named.to_vec()),
    }
}

fn no_group_named(name: &str) -> ApiError {
    ApiError::sender(
        "InvalidGroup.NotFound",
        format!("The security group '{name}' does not exist in default VPC"),
    )
}

fn arn(world: &World, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:security-group/{id}", world.region, world.account)
}

impl Describable for SecurityGroup {
    const KIND: ResourceKind = SECURITY_GROUP;
    const IDS: &'static str = "GroupId";
    const SET: &'static str = "securityGroupInfo";
    const FILTERS: &'static [&'static str] = &[
        "group-id",
        "group-name",
        "description",
        "vpc-id",
        "owner-id",
        "ip-permission.cidr",
        "ip-permission.from-port",
        "ip-permission.to-port",
        "ip-permission.protocol",
        "ip-permission.group-id",
        "egress.ip-permission.cidr",
    ];

    fn filter_values(&self, id: &str, name: &str, world: &World) -> Vec<String> {
        let egress = name.starts_with("egress.");
        let rules = || self.rules.values().filter(move |rule| rule.egress == egress);
        match name.trim_start_matches("egress.") {
            "group-id" => vec![id.to_owned()],
            "group-name" => vec![self.name.clone()],
            "description" => vec![self.description.clone()],
            "vpc-id" => vec![self.vpc.clone()],
            "owner-id" => vec![world.account.clone()],
            "ip-permission.from-port" => {
                rules().filter_map(|rule| Some(rule.ports?.0.to_string())).collect()
            }
            "ip-permission.to-port" => {
                rules().filter_map(|rule| Some(rule.ports?.1.to_string())).collect()
            }
            "ip-permission.protocol" => rules().map(|rule| rule.protocol.clone()).collect(),
            "ip-permission.group-id" => rules()
                .filter_map(|rule| match &rule.peer {
                    RulePeer::Group(id) => Some(id.clone()),
                    _ => None,
                })
                .collect(),
            _ => rules()
                .filter_map(|rule| match &rule.peer {
                    RulePeer::Ipv4(cidr) => Some(cidr.clone()),
                    _ => None,
                })
                .collect(),
        }
    }

    fn write(&self, id: &str, world: &World) -> Value {
        map([
            ("ownerId", world.account.as_str().into()),
            ("groupId", id.into()),
            ("securityGroupArn", arn(world, id).into()),
            ("groupName", self.name.as_str().into()),
            ("groupDescription", self.description.as_str().into()),
            ("vpcId", self.vpc.as_str().into()),
            ("ipPermissions", ip_permissions::write(world, self, false)),
            ("ipPermissionsEgress", ip_permissions::write(world, self, true)),
            ("tagSet", tags::write(&world.ec2, id)),
        ])
    }
}
