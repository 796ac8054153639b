//! Security group rules, each with its own id.

use super::super::errors::{SECURITY_GROUP, SECURITY_RULE, missing_parameter, required_str};
use super::super::listing::{Filters, paginate};
use super::super::tags::{self, success};
use super::security_group::{RulePeer, SecurityRule};
use super::{ip_permissions, security_groups};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most rules of a security group per direction (quota).
const QUOTA: usize = 60;

/// `AuthorizeSecurityGroupIngress` and `…Egress`: adds all of the rules or none.
pub(super) fn authorize(world: &mut World, input: &Value, egress: bool) -> ApiResult<Value> {
    let id = security_groups::of_request(world, input)?;
    let rules = ip_permissions::read(world, input, egress)?;
    let given = tags::read_specifications(input, SECURITY_RULE)?;
    let known = world.ec2.security_groups.get(&id).map(|group| &group.rules);
    let known = || known.into_iter().flat_map(|rules| rules.values());
    for (place, rule) in rules.iter().enumerate() {
        let twice = rules.iter().take(place).any(|earlier| earlier.allows_same_traffic(rule));
        if twice || known().any(|there| there.allows_same_traffic(rule)) {
            return Err(ApiError::sender(
                "InvalidPermission.Duplicate",
                format!("the specified rule \"{}\" already exists", error_text(rule)),
            ));
        }
    }
    if known().filter(|rule| rule.egress == egress).count() + rules.len() > QUOTA {
        return Err(ApiError::sender(
            "RulesPerSecurityGroupLimitExceeded",
            "The maximum number of rules per security group has been reached.",
        ));
    }
    let mut written = Vec::new();
    for rule in rules {
        let rule_id = world.ids.ec2("sgr");
        if let Some(group) = world.ec2.security_groups.get_mut(&id) {
            group.rules.insert(rule_id.clone(), rule.clone());
        }
        tags::put(&mut world.ec2, &rule_id, given.clone());
        written.push(write(world, &id, &rule_id, &rule));
    }
    Ok(success().with("securityGroupRuleSet", written))
}

/// `RevokeSecurityGroupIngress` and `…Egress`, by rule id or by content.
pub(super) fn revoke(world: &mut World, input: &Value, egress: bool) -> ApiResult<Value> {
    let id = security_groups::of_request(world, input)?;
    let ids = input.strings("SecurityGroupRuleId");
    let Some(group) = world.ec2.security_groups.get(&id) else {
        return Err(SECURITY_GROUP.not_found(&id));
    };
    let mut gone = Vec::new();
    if ids.is_empty() {
        for wanted in ip_permissions::read(world, input, egress)? {
            let found = group.rules.iter().find(|(_, rule)| rule.allows_same_traffic(&wanted));
            let Some((rule, _)) = found else {
                return Err(ApiError::sender(
                    "InvalidPermission.NotFound",
                    "The specified rule does not exist in this security group.",
                ));
            };
            gone.push(rule.clone());
        }
    } else {
        for rule in ids {
            match group.rules.get(&rule) {
                Some(found) if found.egress == egress => gone.push(rule),
                _ => return Err(SECURITY_RULE.not_found(&rule)),
            }
        }
    }
    let mut written = Vec::new();
    if let Some(group) = world.ec2.security_groups.get_mut(&id) {
        for rule_id in gone {
            if let Some(rule) = group.rules.remove(&rule_id) {
                written.push(revoked(&id, &rule_id, &rule));
            }
        }
    }
    world.ec2.remove_orphaned_tags();
    Ok(success().with("revokedSecurityGroupRuleSet", written))
}

/// `DescribeSecurityGroupRules`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let filters = Filters::read(input, &["group-id", "security-group-rule-id"])?;
    let ids = input.strings("SecurityGroupRuleId");
    let all = || {
        let groups = world.ec2.security_groups.iter();
        groups.flat_map(|(group, g)| g.rules.iter().map(move |(id, rule)| (group, id, rule)))
    };
    if let Some(missing) = ids.iter().find(|id| !all().any(|(_, known, _)| known == *id)) {
        return Err(SECURITY_RULE.not_found(missing));
    }
    let found = all()
        .filter(|(_, id, _)| ids.is_empty() || ids.contains(id))
        .filter(|(group, id, _)| {
            let field = |name: &str| {
                vec![if name == "group-id" { (*group).clone() } else { (*id).clone() }]
            };
            filters.matches(&world.ec2, id, field)
        })
        .map(|(group, id, rule)| write(world, group, id, rule))
        .collect();
    let (items, next) = paginate(input, found)?;
    Ok(map([("securityGroupRuleSet", items.into()), ("nextToken", next.into())]))
}

/// `ModifySecurityGroupRules`: replaces each rule as a whole.
pub(super) fn modify(world: &mut World, input: &Value) -> ApiResult<Value> {
    let id = security_groups::of_request(world, input)?;
    let mut changed = Vec::new();
    for update in input.list("SecurityGroupRule") {
        let rule_id = required_str(update, "SecurityGroupRuleId")?;
        let group = world.ec2.security_groups.get(&id);
        let Some(before) = group.and_then(|group| group.rules.get(rule_id)) else {
            return Err(SECURITY_RULE.not_found(rule_id));
        };
        let wanted = update.get("SecurityGroupRule");
        let protocol =
            ip_permissions::protocol(wanted.str("IpProtocol").unwrap_or(&before.protocol))?;
        let text = |key: &str| wanted.str(key);
        let peer = match (text("CidrIpv4"), text("CidrIpv6"), text("ReferencedGroupId")) {
            (Some(cidr), None, None) => RulePeer::Ipv4(ip_permissions::ipv4(cidr)?),
            (None, Some(cidr), None) => RulePeer::Ipv6(ip_permissions::ipv6(cidr)?),
            (None, None, Some(group)) if world.ec2.security_groups.contains_key(group) => {
                RulePeer::Group(group.to_owned())
            }
            (None, None, Some(group)) => return Err(SECURITY_GROUP.not_found(group)),
            _ => return Err(missing_parameter("cidrIpv4")),
        };
        let rule = SecurityRule {
            egress: before.egress,
            ports: ip_permissions::ports(wanted, &protocol)?,
            protocol,
            peer,
            description: wanted.str("Description").map(str::to_owned),
        };
        changed.push((rule_id.to_owned(), rule));
    }
    if let Some(group) = world.ec2.security_groups.get_mut(&id) {
        group.rules.extend(changed);
    }
    Ok(success())
}

/// `UpdateSecurityGroupRuleDescriptionsIngress` and `…Egress`.
pub(super) fn update_descriptions(
    world: &mut World,
    input: &Value,
    egress: bool,
) -> ApiResult<Value> {
    let id = security_groups::of_request(world, input)?;
    let named = input.list("SecurityGroupRuleDescription");
    let given =
        if named.is_empty() { ip_permissions::read(world, input, egress)? } else { Vec::new() };
    let Some(group) = world.ec2.security_groups.get_mut(&id) else {
        return Err(SECURITY_GROUP.not_found(&id));
    };
    for update in named {
        let rule = required_str(update, "SecurityGroupRuleId")?;
        let found = group.rules.get_mut(rule).ok_or_else(|| SECURITY_RULE.not_found(rule))?;
        found.description = update.str("Description").map(str::to_owned);
    }
    for wanted in given {
        let found =
            group.rules.values_mut().find(|rule| rule.allows_same_traffic(&wanted)).ok_or_else(
                || {
                    ApiError::sender(
                        "InvalidPermission.NotFound",
                        "The specified rule does not exist in this security group.",
                    )
                },
            )?;
        found.description = wanted.description;
    }
    Ok(success())
}

/// Formats a rule as in the service's error messages.
fn error_text(rule: &SecurityRule) -> String {
    let peer = match &rule.peer {
        RulePeer::Ipv4(peer)
        | RulePeer::Ipv6(peer)
        | RulePeer::Group(peer)
        | RulePeer::Prefixes(peer) => peer,
    };
    let protocol = if rule.protocol == "-1" { "ALL" } else { &rule.protocol };
    match rule.ports {
        Some((low, high)) => format!(
            "peer: {peer}, {}, from port: {low}, to port: {high}, ALLOW",
            protocol.to_uppercase()
        ),
        None => format!("peer: {peer}, {protocol}, ALLOW"),
    }
}

fn write(world: &World, group: &str, id: &str, rule: &SecurityRule) -> Value {
    let account = || Value::from(world.account.as_str());
    let referenced = match &rule.peer {
        RulePeer::Group(peer) => map([("groupId", peer.as_str().into()), ("userId", account())]),
        _ => Value::Null,
    };
    let arn = format!("arn:aws:ec2:{}:{}:security-group-rule/{id}", world.region, world.account);
    common(group, id, rule)
        .with("groupOwnerId", account())
        .with("referencedGroupInfo", referenced)
        .with("securityGroupRuleArn", arn)
        .with("tagSet", tags::write(&world.ec2, id))
}

fn revoked(group: &str, id: &str, rule: &SecurityRule) -> Value {
    let referenced = match &rule.peer {
        RulePeer::Group(peer) => Some(peer.clone()),
        _ => None,
    };
    common(group, id, rule).with("referencedGroupId", referenced)
}

fn common(group: &str, id: &str, rule: &SecurityRule) -> Value {
    let (low, high) = rule.ports.unwrap_or((-1, -1));
    let peer = |pick: fn(&RulePeer) -> Option<&String>| Value::from(pick(&rule.peer).cloned());
    map([
        ("securityGroupRuleId", id.into()),
        ("groupId", group.into()),
        ("isEgress", rule.egress.into()),
        ("ipProtocol", rule.protocol.as_str().into()),
        ("fromPort", low.into()),
        ("toPort", high.into()),
        ("cidrIpv4", peer(|p| if let RulePeer::Ipv4(cidr) = p { Some(cidr) } else { None })),
        ("cidrIpv6", peer(|p| if let RulePeer::Ipv6(cidr) = p { Some(cidr) } else { None })),
        ("prefixListId", peer(|p| if let RulePeer::Prefixes(id) = p { Some(id) } else { None })),
        ("description", rule.description.clone().into()),
    ])
}
