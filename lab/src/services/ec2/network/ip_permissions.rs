//! `IpPermissions`: the older form of security group rules, which groups peers by protocol and port range.

use std::collections::BTreeMap;

use super::super::errors::{SECURITY_GROUP, invalid_value, missing_parameter};
use super::find;
use super::security_group::{RulePeer, SecurityGroup, SecurityRule};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The first and the last port, if the protocol has ports.
type Ports = Option<(i64, i64)>;

/// Reads the rules of a request, given as `IpPermissions` or as the older top-level members.
pub(super) fn read(world: &World, input: &Value, egress: bool) -> ApiResult<Vec<SecurityRule>> {
    let mut rules = Vec::new();
    for permission in input.list("IpPermissions") {
        read_one(world, permission, egress, &mut rules)?;
    }
    if input.list("IpPermissions").is_empty() {
        let simple = input.str("CidrIp").or(input.str("SourceSecurityGroupName"));
        if simple.is_none() {
            return Err(missing_parameter("ipPermissions"));
        }
        let named = |key: &'static str, member: &'static str, value: Option<&str>| {
            let one = value.map(|value| map([(member, value.into())]));
            (key, Value::List(one.into_iter().collect()))
        };
        let source = input.str("SourceSecurityGroupName");
        let permission = map([
            ("IpProtocol", input.get("IpProtocol").clone()),
            ("FromPort", input.get("FromPort").clone()),
            ("ToPort", input.get("ToPort").clone()),
            named("IpRanges", "CidrIp", input.str("CidrIp")),
            named("Groups", "GroupName", source),
        ]);
        read_one(world, &permission, egress, &mut rules)?;
    }
    Ok(rules)
}

fn read_one(
    world: &World,
    permission: &Value,
    egress: bool,
    rules: &mut Vec<SecurityRule>,
) -> ApiResult<()> {
    let protocol = protocol(permission.str("IpProtocol").unwrap_or_default())?;
    let ports = ports(permission, &protocol)?;
    let mut peers = Vec::new();
    for range in permission.list("IpRanges") {
        peers.push((RulePeer::Ipv4(ipv4(range.str("CidrIp").unwrap_or_default())?), range));
    }
    for range in permission.list("Ipv6Ranges") {
        peers.push((RulePeer::Ipv6(ipv6(range.str("CidrIpv6").unwrap_or_default())?), range));
    }
    for pair in permission.list("Groups") {
        peers.push((RulePeer::Group(group(world, pair)?), pair));
    }
    for list in permission.list("PrefixListIds") {
        let id = list.str("PrefixListId").unwrap_or_default();
        peers.push((RulePeer::Prefixes(id.to_owned()), list));
    }
    if peers.is_empty() {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            "Invalid value 'null' for ipRanges. The rule must have a source or destination.",
        ));
    }
    rules.extend(peers.into_iter().map(|(peer, from)| SecurityRule {
        egress,
        protocol: protocol.clone(),
        ports,
        peer,
        description: from.str("Description").map(str::to_owned),
    }));
    Ok(())
}

/// Returns the name of a protocol given by name or number; a protocol without a name keeps its number (API
/// model).
pub(super) fn protocol(text: &str) -> ApiResult<String> {
    let name = match text {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "58" => "icmpv6",
        "" => return Err(missing_parameter("ipProtocol")),
        "tcp" | "udp" | "icmp" | "icmpv6" | "-1" => text,
        "all" => "-1",
        other if other.parse::<u8>().is_ok() => other,
        other => {
            return Err(ApiError::sender(
                "InvalidPermission.Malformed",
                format!("Invalid value '{other}' for IP protocol. Unknown protocol."),
            ));
        }
    };
    Ok(name.to_owned())
}

/// Reads the ports of a rule: tcp and udp require both; other protocols except ICMP have none.
pub(super) fn ports(from: &Value, protocol: &str) -> ApiResult<Ports> {
    let (low, high) = (from.int("FromPort"), from.int("ToPort"));
    match (protocol, low, high) {
        ("tcp" | "udp", Some(low), Some(high)) => {
            let valid = (0..=65535).contains(&low) && (0..=65535).contains(&high) && low <= high;
            if valid || (low, high) == (-1, -1) {
                return Ok(Some(if low == -1 { (0, 65535) } else { (low, high) }));
            }
            let message = format!(
                "Invalid value '{low} - {high}' for portRange. Must be a valid range of ports."
            );
            Err(ApiError::sender("InvalidParameterValue", message))
        }
        ("tcp" | "udp", _, _) => Err(ApiError::sender(
            "InvalidParameterValue",
            format!(
                "Invalid value 'Must specify both from and to ports with {}.' for portRange.",
                protocol.to_uppercase()
            ),
        )),
        ("icmp" | "icmpv6", low, high) => Ok(Some((low.unwrap_or(-1), high.unwrap_or(-1)))),
        _ => Ok(None),
    }
}

/// Reads an IPv4 CIDR block, and clears its host bits.
pub(super) fn ipv4(text: &str) -> ApiResult<String> {
    match text.parse::<ipnet::Ipv4Net>() {
        Ok(cidr) => Ok(cidr.trunc().to_string()),
        Err(_) => Err(invalid_value(format!("CIDR block {text} is malformed"))),
    }
}

pub(super) fn ipv6(text: &str) -> ApiResult<String> {
    match text.parse::<ipnet::Ipv6Net>() {
        Ok(cidr) => Ok(cidr.trunc().to_string()),
        Err(_) => Err(invalid_value(format!("CIDR block {text} is malformed"))),
    }
}

fn group(world: &World, pair: &Value) -> ApiResult<String> {
    match (pair.str("GroupId"), pair.str("GroupName")) {
        (Some(id), _) if world.ec2.security_groups.contains_key(id) => Ok(id.to_owned()),
        (Some(id), _) => Err(SECURITY_GROUP.not_found(id)),
        (None, Some(name)) => {
            find::group_by_name(&world.ec2, name).ok_or_else(|| SECURITY_GROUP.not_found(name))
        }
        (None, None) => Err(missing_parameter("groupId")),
    }
}

/// Formats the rules of one direction, with the peers grouped by protocol and ports.
pub(super) fn write(world: &World, group: &SecurityGroup, egress: bool) -> Value {
    let mut gathered: BTreeMap<(&str, Ports), Vec<&SecurityRule>> = BTreeMap::new();
    for rule in group.rules.values().filter(|rule| rule.egress == egress) {
        gathered.entry((rule.protocol.as_str(), rule.ports)).or_default().push(rule);
    }
    let written = gathered.into_iter().map(|((protocol, ports), rules)| {
        let peers = |pick: &dyn Fn(&RulePeer) -> Option<Value>| {
            let found = rules.iter().filter_map(|rule| {
                Some(pick(&rule.peer)?.with("description", rule.description.clone()))
            });
            Value::List(found.collect())
        };
        let pairs = peers(&|peer| match peer {
            RulePeer::Group(id) => Some(map([
                ("groupId", id.as_str().into()),
                ("userId", world.account.as_str().into()),
            ])),
            _ => None,
        });
        let four = peers(&|peer| match peer {
            RulePeer::Ipv4(cidr) => Some(map([("cidrIp", cidr.as_str().into())])),
            _ => None,
        });
        let six = peers(&|peer| match peer {
            RulePeer::Ipv6(cidr) => Some(map([("cidrIpv6", cidr.as_str().into())])),
            _ => None,
        });
        let lists = peers(&|peer| match peer {
            RulePeer::Prefixes(id) => Some(map([("prefixListId", id.as_str().into())])),
            _ => None,
        });
        map([
            ("ipProtocol", protocol.into()),
            ("fromPort", ports.map(|(low, _)| low).into()),
            ("toPort", ports.map(|(_, high)| high).into()),
            ("groups", pairs),
            ("ipRanges", four),
            ("ipv6Ranges", six),
            ("prefixListIds", lists),
        ])
    });
    Value::List(written.collect())
}
