//! Application Load Balancers: creation, changes, and deletion.

use std::collections::BTreeMap;

use super::errors::{load_balancer_not_found, name_error, validation};
use super::load_balancer::{LoadBalancer, LoadBalancerState};
use super::node::Node;
use super::placement::{self, Placement};
use super::rule::Rule;
use super::state::Event;
use super::{attributes, find, health, interfaces, paging, propagation, quotas, tags};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{self, World, later};

/// The specification of a new load balancer.
#[derive(Debug, Clone, Default)]
pub struct LoadBalancerSpec {
    /// Its name, unique in the Region.
    pub name: String,
    /// The id of the subnet in each enabled zone.
    pub subnets: BTreeMap<String, String>,
    /// `internet-facing` or `internal`; `internet-facing` if absent.
    pub scheme: Option<String>,
    /// The ids of its security groups.
    pub security_groups: Vec<String>,
    /// The last part of the ARN, 16 hexadecimal digits; generated if absent.
    pub suffix: Option<String>,
}

/// Creates a load balancer in the state provisioning, and returns its ARN. It becomes active after
/// `Params::provision`, or at once with [`activate`]. If a load balancer with the same name and settings exists,
/// its ARN is returned (API model: the operation is idempotent). Errors: DuplicateLoadBalancerName,
/// TooManyLoadBalancers, InvalidConfigurationRequest.
pub fn create_load_balancer(world: &mut World, spec: LoadBalancerSpec) -> ApiResult<String> {
    let scheme = spec.scheme.unwrap_or_else(|| "internet-facing".to_owned());
    if let Some(same) = world.elbv2.load_balancers.values().find(|l| l.name == spec.name) {
        let equal = same.subnets == spec.subnets
            && same.scheme == scheme
            && same.security_groups == spec.security_groups;
        return if equal {
            Ok(same.arn.clone())
        } else {
            Err(ApiError::sender(
                "DuplicateLoadBalancerName",
                format!(
                    "A load balancer with the same name '{}' exists, but with different settings",
                    spec.name
                ),
            ))
        };
    }
    if world.elbv2.load_balancers.len() >= quotas::LOAD_BALANCERS {
        return Err(ApiError::sender(
            "TooManyLoadBalancers",
            "The maximum number of load balancers has been reached",
        ));
    }
    placement::check_zone_count(&spec.subnets)?;
    let suffix = spec.suffix.unwrap_or_else(|| world.ids.hex16());
    let arn = format!(
        "arn:aws:elasticloadbalancing:{}:{}:loadbalancer/app/{}/{suffix}",
        world.region, world.account, spec.name
    );
    let number = u64::from_str_radix(&suffix, 16).unwrap_or_default() % 2_000_000_000;
    // DNS names of internal load balancers have this prefix (user guide).
    let internal = if scheme == "internal" { "internal-" } else { "" };
    let load_balancer = LoadBalancer {
        dns_name: format!("{internal}{}-{number}.{}.elb.amazonaws.com", spec.name, world.region),
        arn: arn.clone(),
        name: spec.name,
        scheme,
        state: LoadBalancerState::Provisioning,
        created: world.now,
        vpc: placement::vpc_of(world, &spec.subnets),
        nodes: spec.subnets.keys().map(|zone| (zone.clone(), Node::default())).collect(),
        subnets: spec.subnets,
        security_groups: spec.security_groups,
        attributes: attributes::load_balancer_defaults(),
    };
    world.elbv2.load_balancers.insert(arn.clone(), load_balancer);
    world.queue.push(
        later(world.now, world.params.provision),
        world::Event::Elbv2(Event::Activate { load_balancer: arn.clone() }),
    );
    Ok(arn)
}

/// Makes a load balancer active. Its nodes start with the current rules.
pub fn activate(world: &mut World, arn: &str) {
    propagation::sync_all_nodes(world, arn);
    if let Some(load_balancer) = world.elbv2.load_balancers.get_mut(arn) {
        load_balancer.state = LoadBalancerState::Active;
    }
}

/// `CreateLoadBalancer`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let kind = input.str("Type").unwrap_or("application");
    if kind != "application" {
        return Err(validation(format!(
            "The lab does not support load balancers of type '{kind}'"
        )));
    }
    let name = input.need_str("Name")?;
    check_name(name)?;
    let scheme = input.str("Scheme").unwrap_or("internet-facing");
    if !matches!(scheme, "internet-facing" | "internal") {
        return Err(validation(format!(
            "1 validation error detected: Value '{scheme}' at 'scheme' failed to satisfy constraint: Member must satisfy enum value set: [internet-facing, internal]"
        )));
    }
    let given = tags::read(input.list("Tags"))?;
    let Placement { subnets, vpc } = placement::read(world, input, scheme)?;
    let security_groups = placement::security_groups(world, &vpc, input)?;
    let spec = LoadBalancerSpec {
        name: name.to_owned(),
        subnets,
        scheme: Some(scheme.to_owned()),
        security_groups,
        suffix: None,
    };
    let arn = create_load_balancer(world, spec)?;
    tags::store(world, &arn, given);
    let written = write(find::load_balancer(world, &arn)?);
    Ok(map([("LoadBalancers", vec![written].into())]))
}

/// Checks a name by the service's rules (API model).
fn check_name(name: &str) -> ApiResult<()> {
    if name.starts_with("internal-") {
        return Err(validation(format!(
            "The load balancer name '{name}' cannot begin with 'internal-'"
        )));
    }
    name_error("load balancer", name).map_or(Ok(()), Err)
}

/// `DescribeLoadBalancers`.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let all = &world.elbv2.load_balancers;
    let (arns, names) = (input.strings("LoadBalancerArns"), input.strings("Names"));
    if !arns.is_empty() && !names.is_empty() {
        return Err(validation(
            "Load balancer names and load balancer ARNs cannot be specified at the same time",
        ));
    }
    for arn in &arns {
        find::load_balancer(world, arn)?;
    }
    for name in &names {
        if !all.values().any(|l| l.name == *name) {
            return Err(load_balancer_not_found(name));
        }
    }
    let everything = arns.is_empty() && names.is_empty();
    let found = all
        .values()
        .filter(|l| everything || arns.contains(&l.arn) || names.contains(&l.name))
        .map(write)
        .collect();
    paging::page("LoadBalancers", found, input)
}

/// `DeleteLoadBalancer`, with its listeners and their rules. No error if it doesn't exist (API model). Its network
/// interfaces remain for a while.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("LoadBalancerArn")?;
    let Some(balancer) = world.elbv2.load_balancers.get(arn).cloned() else { return Ok(map([])) };
    if balancer.attributes.get("deletion_protection.enabled").is_some_and(|on| on == "true") {
        return Err(ApiError::sender(
            "OperationNotPermitted",
            format!(
                "Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            ),
        ));
    }
    interfaces::linger(world, &balancer);
    let state = &mut world.elbv2;
    state.load_balancers.remove(arn);
    state.listeners.retain(|_, listener| listener.load_balancer != arn);
    let gone: Vec<Rule> =
        state.rules.values().filter(|rule| rule.load_balancer == arn).cloned().collect();
    for rule in &gone {
        state.rules.remove(&rule.arn);
    }
    state.remove_orphaned_tags();
    for group in gone.iter().flat_map(Rule::groups) {
        health::update_usage(world, group);
    }
    Ok(map([]))
}

/// `SetSubnets`: changes zones, or the subnets in them. New nodes start with the current rules; changes that are
/// still being propagated to a removed node are lost with it.
pub(super) fn set_subnets(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("LoadBalancerArn")?.to_owned();
    let scheme = find::load_balancer(world, &arn)?.scheme.clone();
    let Placement { subnets, .. } = placement::read(world, input, &scheme)?;
    placement::check_zone_count(&subnets)?;
    if let Some(balancer) = world.elbv2.load_balancers.get_mut(&arn) {
        balancer.nodes.retain(|zone, _| subnets.contains_key(zone));
        for zone in subnets.keys() {
            balancer.nodes.entry(zone.clone()).or_default();
        }
        balancer.subnets = subnets;
    }
    propagation::sync_new_nodes(world, &arn);
    let rules = world.elbv2.rules.values().filter(|rule| rule.load_balancer == arn);
    let groups: Vec<String> = rules.flat_map(|r| r.groups().map(str::to_owned)).collect();
    groups.iter().for_each(|group| health::update_usage(world, group));
    let zones = write(find::load_balancer(world, &arn)?).get("AvailabilityZones").clone();
    Ok(map([("AvailabilityZones", zones), ("IpAddressType", "ipv4".into())]))
}

/// `SetSecurityGroups`.
pub(super) fn set_security_groups(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("LoadBalancerArn")?;
    let vpc = find::load_balancer(world, arn)?.vpc.clone();
    let groups = placement::security_groups(world, &vpc, input)?;
    if let Some(balancer) = world.elbv2.load_balancers.get_mut(arn) {
        balancer.security_groups.clone_from(&groups);
    }
    let groups = groups.into_iter().map(Into::into).collect();
    Ok(map([("SecurityGroupIds", Value::List(groups))]))
}

/// `SetIpAddressType`: the lab supports only `ipv4`.
pub(super) fn set_ip_address_type(world: &mut World, input: &Value) -> ApiResult<Value> {
    find::load_balancer(world, input.need_str("LoadBalancerArn")?)?;
    match input.need_str("IpAddressType")? {
        "ipv4" => Ok(map([("IpAddressType", "ipv4".into())])),
        // The service's error for subnets without an IPv6 CIDR block; the lab's have none.
        _ => Err(ApiError::sender(
            "InvalidSubnet",
            "You must specify subnets with an associated IPv6 CIDR block",
        )),
    }
}

fn write(load_balancer: &LoadBalancer) -> Value {
    let zones = load_balancer.subnets.iter().map(|(zone, subnet)| {
        map([
            ("ZoneName", zone.as_str().into()),
            ("SubnetId", subnet.as_str().into()),
            ("LoadBalancerAddresses", Value::List(Vec::new())),
        ])
    });
    let state = match load_balancer.state {
        LoadBalancerState::Provisioning => "provisioning",
        LoadBalancerState::Active => "active",
    };
    let groups = load_balancer.security_groups.iter().map(|g| g.as_str().into());
    map([
        ("LoadBalancerArn", load_balancer.arn.as_str().into()),
        ("DNSName", load_balancer.dns_name.as_str().into()),
        ("CanonicalHostedZoneId", "ZWKZPGTI48KDX".into()),
        ("CreatedTime", load_balancer.created.into()),
        ("LoadBalancerName", load_balancer.name.as_str().into()),
        ("Scheme", load_balancer.scheme.as_str().into()),
        ("VpcId", load_balancer.vpc.as_str().into()),
        ("State", map([("Code", state.into())])),
        ("Type", "application".into()),
        ("AvailabilityZones", zones.collect::<Vec<_>>().into()),
        ("SecurityGroups", groups.collect::<Vec<Value>>().into()),
        ("IpAddressType", "ipv4".into()),
    ])
}
