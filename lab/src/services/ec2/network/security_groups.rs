//! Security groups.

use std::collections::BTreeMap;

use super::super::State;
use super::super::errors::{
    Kind, SECURITY_GROUP, dependency, invalid_value, missing_parameter, need,
};
use super::super::listing::{self, Listed, cut};
use super::super::tags;
use super::{dependencies, permissions, vpcs};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// Security groups a Region may have (quota).
const QUOTA: usize = 2500;

/// A security group: what may come in, and what may go out. Kept and shown; the lab lets everything
/// through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroup {
    /// Its name, unique in its network.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its network.
    pub vpc: String,
    /// Its rules by `sgr-…`.
    pub rules: BTreeMap<String, SecurityRule>,
}

/// One rule of a security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityRule {
    /// Whether it is about what goes out.
    pub egress: bool,
    /// `tcp`, `udp`, `icmp`, a number, or `-1` for all.
    pub protocol: String,
    /// The first and the last port; none for all protocols.
    pub ports: Option<(i64, i64)>,
    /// The other side.
    pub peer: Peer,
    /// What it is for.
    pub description: Option<String>,
}

/// The other side of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// A block of addresses.
    Ipv4(String),
    /// A block of longer addresses.
    Ipv6(String),
    /// The members of a security group.
    Group(String),
    /// A prefix list.
    Prefixes(String),
}

impl SecurityRule {
    /// Whether the two let the same through; descriptions don't count.
    pub(super) fn is_same(&self, other: &SecurityRule) -> bool {
        let key = |rule: &SecurityRule| {
            (rule.egress, rule.protocol.clone(), rule.ports, rule.peer.clone())
        };
        key(self) == key(other)
    }
}

/// The default security group of a new VPC: its members reach each other, and everything outside.
pub(super) fn put_default(state: &mut State, id: &str, vpc: &str) {
    let own = id.trim_start_matches("sg-");
    let everything = |egress, peer| SecurityRule {
        egress,
        protocol: "-1".to_owned(),
        ports: None,
        peer,
        description: None,
    };
    let within = everything(false, Peer::Group(id.to_owned()));
    let out = everything(true, Peer::Ipv4("0.0.0.0/0".to_owned()));
    let group = SecurityGroup {
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        vpc: vpc.to_owned(),
        rules: BTreeMap::from([(format!("sgr-{own}"), within), (format!("sgr-e{own}"), out)]),
    };
    state.security_groups.insert(id.to_owned(), group);
}

/// `CreateSecurityGroup`: in the default VPC where none is named. Everything may go out.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, description) = (need(input, "GroupName")?, need(input, "GroupDescription")?);
    let vpc = match input.str("VpcId") {
        Some(vpc) => vpc.to_owned(),
        None => default_vpc(&world.ec2).ok_or_else(|| {
            ApiError::sender(
                "VPCIdNotSpecified",
                "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.",
            )
        })?,
    };
    vpcs::find(world, &vpc)?;
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
    let given = tags::at_creation(input, SECURITY_GROUP)?;
    let (id, rule) = (world.ids.ec2("sg"), world.ids.ec2("sgr"));
    let out = SecurityRule {
        egress: true,
        protocol: "-1".to_owned(),
        ports: None,
        peer: Peer::Ipv4("0.0.0.0/0".to_owned()),
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

/// The service's rules for names and descriptions (API model).
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

/// `DescribeSecurityGroups`: by identifier or by name.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let names = input.strings("GroupName");
    let all = &world.ec2.security_groups;
    if let Some(missing) = names.iter().find(|name| !all.values().any(|g| g.name == **name)) {
        return Err(no_group_named(missing));
    }
    let found = listing::select(world, input, all)?.into_iter();
    let named = found.filter(|(_, group)| names.is_empty() || names.contains(&group.name));
    let (items, next) = cut(input, named.map(|(id, group)| group.write(id, world)).collect())?;
    Ok(map([("securityGroupInfo", items.into()), ("nextToken", next.into())]))
}

/// `DeleteSecurityGroup`: neither a default one nor one in use.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = of_request(world, input)?;
    if world.ec2.security_groups.get(&id).is_some_and(|group| group.name == "default") {
        return Err(ApiError::sender(
            "CannotDelete",
            format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user"),
        ));
    }
    if dependencies::of_security_group(world, &id) {
        return Err(dependency(format!("resource {id} has a dependent object")));
    }
    world.ec2.security_groups.remove(&id);
    world.ec2.forget_tags();
    Ok(map([("return", true.into()), ("groupId", id.into())]))
}

/// The identifier of the group that a call names, by identifier or by its name in the default VPC.
pub(super) fn of_request(world: &World, input: &Value) -> ApiResult<String> {
    match (input.str("GroupId"), input.str("GroupName")) {
        (Some(id), _) if world.ec2.security_groups.contains_key(id) => Ok(id.to_owned()),
        (Some(id), _) => Err(SECURITY_GROUP.missing(id)),
        (None, Some(name)) => named(&world.ec2, name).ok_or_else(|| no_group_named(name)),
        (None, None) => Err(missing_parameter("groupId")),
    }
}

/// The group of a name in the default VPC.
pub(in super::super) fn named(state: &State, name: &str) -> Option<String> {
    let vpc = default_vpc(state)?;
    let mut all = state.security_groups.iter();
    all.find(|(_, group)| group.vpc == vpc && group.name == name).map(|(id, _)| id.clone())
}

/// The default group of a VPC.
pub(in super::super) fn default_of(state: &State, vpc: &str) -> Option<String> {
    let mut all = state.security_groups.iter();
    all.find(|(_, group)| group.vpc == vpc && group.name == "default").map(|(id, _)| id.clone())
}

/// The account's default VPC.
pub(in super::super) fn default_vpc(state: &State) -> Option<String> {
    state.vpcs.iter().find(|(_, vpc)| vpc.is_default).map(|(id, _)| id.clone())
}

/// The security groups that a load balancer in a VPC has: those that a call names, which have to be of
/// that VPC, or else the default one. Gives the first that doesn't exist there.
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

impl Listed for SecurityGroup {
    const KIND: Kind = SECURITY_GROUP;
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

    fn field(&self, id: &str, name: &str, world: &World) -> Vec<String> {
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
                    Peer::Group(id) => Some(id.clone()),
                    _ => None,
                })
                .collect(),
            _ => rules()
                .filter_map(|rule| match &rule.peer {
                    Peer::Ipv4(cidr) => Some(cidr.clone()),
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
            ("ipPermissions", permissions::write(world, self, false)),
            ("ipPermissionsEgress", permissions::write(world, self, true)),
            ("tagSet", tags::write(&world.ec2, id)),
        ])
    }
}
