//! Application Load Balancers.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::errors::{load_balancer_not_found, validation};
use super::{Event, Node, attributes, paging, propagation, tags, target_groups};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{self, World, later};

/// Load balancers a Region may have (quota).
const QUOTA: usize = 50;

/// An Application Load Balancer, as far as the lab has one.
#[derive(Debug, Clone)]
pub struct LoadBalancer {
    /// `arn:aws:elasticloadbalancing:…:loadbalancer/app/<name>/<16 digits>`.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Where users reach it; settable, since a served lab listens on loopback.
    pub dns_name: String,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// Whether it takes traffic yet.
    pub state: LoadBalancerState,
    /// When it was created.
    pub created: Timestamp,
    /// The subnet in each enabled zone.
    pub subnets: BTreeMap<String, String>,
    /// Its security groups; kept, without effect.
    pub security_groups: Vec<String>,
    /// Attributes by key.
    pub attributes: BTreeMap<String, String>,
    /// One node a zone, each with what it has learnt.
    pub nodes: BTreeMap<String, Node>,
}

/// The states that the lab uses of `LoadBalancerStateEnum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadBalancerState {
    /// Its nodes don't exist yet: about 130 s in one recorded run.
    Provisioning,
    /// It takes traffic.
    Active,
}

impl LoadBalancer {
    /// `app/<name>/<16 digits>`: the value of CloudWatch's `LoadBalancer` dimension.
    pub fn dimension(&self) -> &str {
        self.arn.split_once(":loadbalancer/").map_or("", |(_, path)| path)
    }
}

/// What a load balancer is made of.
#[derive(Debug, Clone, Default)]
pub struct LoadBalancerSpec {
    /// Its name, unique in the Region.
    pub name: String,
    /// The subnet in each enabled zone.
    pub subnets: BTreeMap<String, String>,
    /// `internet-facing` if absent.
    pub scheme: Option<String>,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// The last part of the ARN, 16 hexadecimal digits; invented if absent.
    pub suffix: Option<String>,
}

/// Creates a load balancer that is still provisioning, and gives its ARN. It becomes active by
/// itself after `Params::provision`, or at once by [`activate`]. Errors: DuplicateLoadBalancerName,
/// TooManyLoadBalancers, InvalidConfigurationRequest.
pub fn create_load_balancer(world: &mut World, spec: LoadBalancerSpec) -> ApiResult<String> {
    if world.elbv2.load_balancers.values().any(|l| l.name == spec.name) {
        return Err(ApiError::sender(
            "DuplicateLoadBalancerName",
            format!("A load balancer with the same name '{}' exists", spec.name),
        ));
    }
    if world.elbv2.load_balancers.len() >= QUOTA {
        return Err(ApiError::sender(
            "TooManyLoadBalancers",
            "The maximum number of load balancers has been reached",
        ));
    }
    if spec.subnets.len() < 2 {
        return Err(ApiError::sender(
            "InvalidConfigurationRequest",
            "At least two subnets in two different Availability Zones must be specified",
        ));
    }
    let suffix = spec.suffix.unwrap_or_else(|| world.ids.hex16());
    let arn = format!(
        "arn:aws:elasticloadbalancing:{}:{}:loadbalancer/app/{}/{suffix}",
        world.region, world.account, spec.name
    );
    let number = u64::from_str_radix(&suffix, 16).unwrap_or_default() % 2_000_000_000;
    let load_balancer = LoadBalancer {
        dns_name: format!("{}-{number}.{}.elb.amazonaws.com", spec.name, world.region),
        arn: arn.clone(),
        name: spec.name,
        scheme: spec.scheme.unwrap_or_else(|| "internet-facing".to_owned()),
        state: LoadBalancerState::Provisioning,
        created: world.now,
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

/// Makes a load balancer active; its nodes begin with the rules as they are now.
pub fn activate(world: &mut World, arn: &str) {
    propagation::learn_all(world, arn);
    if let Some(load_balancer) = world.elbv2.load_balancers.get_mut(arn) {
        load_balancer.state = LoadBalancerState::Active;
    }
}

/// CreateLoadBalancer.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let kind = input.str("Type").unwrap_or("application");
    if kind != "application" {
        return Err(validation(format!("The lab has no load balancers of type '{kind}'")));
    }
    let mut named = input.strings("Subnets");
    named.extend(
        input.list("SubnetMappings").iter().filter_map(|m| m.str("SubnetId")).map(Into::into),
    );
    let mut subnets = BTreeMap::new();
    for subnet in named {
        let place = world.ec2.subnets.get(&subnet).ok_or_else(|| {
            ApiError::sender("SubnetNotFound", format!("The subnet ID '{subnet}' does not exist"))
        })?;
        let zone = place.zone.clone();
        if subnets.insert(zone.clone(), subnet).is_some() {
            return Err(ApiError::sender(
                "InvalidConfigurationRequest",
                format!(
                    "A load balancer cannot be attached to multiple subnets in the same Availability Zone: {zone}"
                ),
            ));
        }
    }
    let spec = LoadBalancerSpec {
        name: input.need_str("Name")?.to_owned(),
        subnets,
        scheme: input.str("Scheme").map(str::to_owned),
        security_groups: input.strings("SecurityGroups"),
        suffix: None,
    };
    let arn = create_load_balancer(world, spec)?;
    tags::store(world, &arn, input.list("Tags"));
    let written = write(world, find(world, &arn)?);
    Ok(map([("LoadBalancers", vec![written].into())]))
}

/// DescribeLoadBalancers.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let all = &world.elbv2.load_balancers;
    let (arns, names) = (input.strings("LoadBalancerArns"), input.strings("Names"));
    for arn in &arns {
        find(world, arn)?;
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
        .map(|l| write(world, l))
        .collect();
    paging::page("LoadBalancers", found, input)
}

/// The load balancer of an ARN, or LoadBalancerNotFound.
pub(super) fn find<'w>(world: &'w World, arn: &str) -> ApiResult<&'w LoadBalancer> {
    world.elbv2.load_balancers.get(arn).ok_or_else(|| load_balancer_not_found(arn))
}

fn write(world: &World, load_balancer: &LoadBalancer) -> Value {
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
        ("VpcId", target_groups::network(world).into()),
        ("State", map([("Code", state.into())])),
        ("Type", "application".into()),
        ("AvailabilityZones", zones.collect::<Vec<_>>().into()),
        ("SecurityGroups", groups.collect::<Vec<Value>>().into()),
        ("IpAddressType", "ipv4".into()),
    ])
}
