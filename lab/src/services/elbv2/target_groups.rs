//! Target groups of instances.

use std::collections::BTreeMap;
use std::time::Duration;

use super::errors::{target_group_not_found, validation};
use super::{Rule, Target, attributes, load_balancers, paging, tags};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// Target groups a Region may have (quota).
const QUOTA: usize = 3000;

/// Instances that a forward action can send requests to, and how their health is checked.
#[derive(Debug, Clone)]
pub struct TargetGroup {
    /// `arn:aws:elasticloadbalancing:…:targetgroup/<name>/<16 digits>`.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The port that targets receive requests on, unless registered with another.
    pub port: u16,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// How health is checked.
    pub health: HealthCheck,
    /// Attributes by key.
    pub attributes: BTreeMap<String, String>,
    /// The registered targets, draining ones included, by instance.
    pub targets: BTreeMap<String, Target>,
    /// Whether the next periodic health check is in the queue.
    pub(super) sweeping: bool,
}

/// The health check of a target group, with the API's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// The path asked for.
    pub path: String,
    /// `traffic-port` or a number.
    pub port: String,
    /// 5 to 300 seconds.
    pub interval: Duration,
    /// 2 to 120 seconds, at most the interval.
    pub timeout: Duration,
    /// Passed checks in a row that make an unhealthy target healthy, 2 to 10.
    pub healthy: u32,
    /// Failed checks in a row that make a target unhealthy, 2 to 10.
    pub unhealthy: u32,
    /// The statuses that pass, such as `200` or `200-299,302`.
    pub matcher: String,
}

impl Default for HealthCheck {
    fn default() -> HealthCheck {
        HealthCheck {
            path: "/".to_owned(),
            port: "traffic-port".to_owned(),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            healthy: 5,
            unhealthy: 2,
            matcher: "200".to_owned(),
        }
    }
}

impl HealthCheck {
    /// Whether an answer of this HTTP status passes.
    pub fn accepts(&self, status: u16) -> bool {
        self.matcher.split(',').any(|part| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let bound = |s: &str| s.trim().parse::<u16>().ok();
            bound(low).zip(bound(high)).is_some_and(|(l, h)| (l..=h).contains(&status))
        })
    }
}

impl TargetGroup {
    /// `targetgroup/<name>/<16 digits>`: the value of CloudWatch's `TargetGroup` dimension.
    pub fn dimension(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }

    /// How long a deregistered target shows as draining: 300 s by default.
    pub fn deregistration_delay(&self) -> Duration {
        let key = "deregistration_delay.timeout_seconds";
        Duration::from_secs(self.attributes.get(key).and_then(|v| v.parse().ok()).unwrap_or(300))
    }

    /// Whether nodes send requests to targets in other zones too: the default for this kind of load
    /// balancer; the attribute `load_balancing.cross_zone.enabled` may say `false`.
    pub fn cross_zone(&self) -> bool {
        self.attributes.get("load_balancing.cross_zone.enabled").is_none_or(|v| v != "false")
    }
}

/// What a target group is made of.
#[derive(Debug, Clone, Default)]
pub struct TargetGroupSpec {
    /// Its name, unique in the Region.
    pub name: String,
    /// The port; 80 if absent.
    pub port: Option<u16>,
    /// `HTTP` if absent.
    pub protocol: Option<String>,
    /// How health is checked.
    pub health: HealthCheck,
    /// Attributes that differ from the defaults.
    pub attributes: BTreeMap<String, String>,
    /// The last part of the ARN, 16 hexadecimal digits; invented if absent.
    pub suffix: Option<String>,
}

/// Creates a target group and gives its ARN. Errors: DuplicateTargetGroupName, TooManyTargetGroups,
/// ValidationError on a health check out of range.
pub fn create_target_group(world: &mut World, spec: TargetGroupSpec) -> ApiResult<String> {
    if world.elbv2.target_groups.values().any(|g| g.name == spec.name) {
        return Err(ApiError::sender(
            "DuplicateTargetGroupName",
            format!(
                "A target group with the same name '{}' exists, but with different settings",
                spec.name
            ),
        ));
    }
    if world.elbv2.target_groups.len() >= QUOTA {
        return Err(ApiError::sender(
            "TooManyTargetGroups",
            "The maximum number of target groups has been reached",
        ));
    }
    check_health(&spec.health)?;
    let mut merged = attributes::target_group_defaults();
    merged.extend(spec.attributes);
    let arn = format!(
        "arn:aws:elasticloadbalancing:{}:{}:targetgroup/{}/{}",
        world.region,
        world.account,
        spec.name,
        spec.suffix.unwrap_or_else(|| world.ids.hex16())
    );
    let group = TargetGroup {
        arn: arn.clone(),
        name: spec.name,
        port: spec.port.unwrap_or(80),
        protocol: spec.protocol.unwrap_or_else(|| "HTTP".to_owned()),
        health: spec.health,
        attributes: merged,
        targets: BTreeMap::new(),
        sweeping: false,
    };
    world.elbv2.target_groups.insert(arn.clone(), group);
    Ok(arn)
}

fn check_health(health: &HealthCheck) -> ApiResult<()> {
    let within = |name: &str, value: u64, low: u64, high: u64| {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        Err(validation(format!("{name} '{value}' must be between {low} and {high}")))
    };
    within("Health check interval", health.interval.as_secs(), 5, 300)?;
    within("Health check timeout", health.timeout.as_secs(), 2, 120)?;
    within("Healthy threshold count", health.healthy.into(), 2, 10)?;
    within("Unhealthy threshold count", health.unhealthy.into(), 2, 10)?;
    if health.timeout >= health.interval {
        return Err(validation("Health check timeout must be smaller than the interval"));
    }
    Ok(())
}

/// CreateTargetGroup.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let kind = input.str("TargetType").unwrap_or("instance");
    if kind != "instance" {
        return Err(validation(format!("The lab has no target groups of type '{kind}'")));
    }
    let default = HealthCheck::default();
    let seconds = |key: &str, otherwise: Duration| {
        input.int(key).map_or(otherwise, |n| Duration::from_secs(n.unsigned_abs()))
    };
    let count = |key: &str, otherwise: u32| {
        input.int(key).map_or(otherwise, |n| u32::try_from(n).unwrap_or(0))
    };
    let text = |key: &str, otherwise: &str| input.str(key).unwrap_or(otherwise).to_owned();
    let health = HealthCheck {
        path: text("HealthCheckPath", &default.path),
        port: text("HealthCheckPort", &default.port),
        interval: seconds("HealthCheckIntervalSeconds", default.interval),
        timeout: seconds("HealthCheckTimeoutSeconds", default.timeout),
        healthy: count("HealthyThresholdCount", default.healthy),
        unhealthy: count("UnhealthyThresholdCount", default.unhealthy),
        matcher: input.get("Matcher").str("HttpCode").unwrap_or(&default.matcher).to_owned(),
    };
    let spec = TargetGroupSpec {
        name: input.need_str("Name")?.to_owned(),
        port: input.int("Port").and_then(|p| u16::try_from(p).ok()),
        protocol: input.str("Protocol").map(str::to_owned),
        health,
        attributes: BTreeMap::new(),
        suffix: None,
    };
    let arn = create_target_group(world, spec)?;
    tags::store(world, &arn, input.list("Tags"));
    Ok(map([("TargetGroups", vec![write(world, find(world, &arn)?)].into())]))
}

/// DescribeTargetGroups.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (arns, names) = (input.strings("TargetGroupArns"), input.strings("Names"));
    for arn in &arns {
        find(world, arn)?;
    }
    let all = &world.elbv2.target_groups;
    if let Some(missing) = names.iter().find(|name| !all.values().any(|g| g.name == **name)) {
        return Err(target_group_not_found(missing));
    }
    let balancer = input.str("LoadBalancerArn");
    balancer.map_or(Ok(()), |arn| load_balancers::find(world, arn).map(|_| ()))?;
    let everything = arns.is_empty() && names.is_empty();
    let found = all
        .values()
        .filter(|g| everything || arns.contains(&g.arn) || names.contains(&g.name))
        .filter(|g| balancer.is_none() || used_by(world, &g.arn) == balancer)
        .map(|g| write(world, g))
        .collect();
    paging::page("TargetGroups", found, input)
}

/// The target group of an ARN, or TargetGroupNotFound.
pub(super) fn find<'w>(world: &'w World, arn: &str) -> ApiResult<&'w TargetGroup> {
    world.elbv2.target_groups.get(arn).ok_or_else(|| target_group_not_found(arn))
}

/// The load balancer whose rules name the group, whatever the weight.
pub(super) fn used_by<'w>(world: &'w World, group: &str) -> Option<&'w str> {
    let names = |rule: &&Rule| rule.groups().any(|g| g == group);
    world.elbv2.rules.values().find(names).map(|rule| rule.load_balancer.as_str())
}

/// The network: the lab has one.
pub(super) fn network(world: &World) -> Option<&str> {
    world.ec2.subnets.values().next().map(|subnet| subnet.vpc.as_str())
}

fn write(world: &World, group: &TargetGroup) -> Value {
    let health = &group.health;
    let seconds = |d: Duration| Value::Int(d.as_secs() as i64);
    let balancers = used_by(world, &group.arn).into_iter().map(Into::into).collect::<Vec<Value>>();
    map([
        ("TargetGroupArn", group.arn.as_str().into()),
        ("TargetGroupName", group.name.as_str().into()),
        ("Protocol", group.protocol.as_str().into()),
        ("Port", i64::from(group.port).into()),
        ("VpcId", network(world).into()),
        ("HealthCheckProtocol", group.protocol.as_str().into()),
        ("HealthCheckPort", health.port.as_str().into()),
        ("HealthCheckEnabled", true.into()),
        ("HealthCheckIntervalSeconds", seconds(health.interval)),
        ("HealthCheckTimeoutSeconds", seconds(health.timeout)),
        ("HealthyThresholdCount", health.healthy.into()),
        ("UnhealthyThresholdCount", health.unhealthy.into()),
        ("HealthCheckPath", health.path.as_str().into()),
        ("Matcher", map([("HttpCode", health.matcher.as_str().into())])),
        ("LoadBalancerArns", balancers.into()),
        ("TargetType", "instance".into()),
        ("ProtocolVersion", "HTTP1".into()),
        ("IpAddressType", "ipv4".into()),
    ])
}
