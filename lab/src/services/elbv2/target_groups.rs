//! Target groups of type `instance`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::errors::{name_error, target_group_not_found, validation};
use super::health_check::HealthCheck;
use super::target_group::TargetGroup;
use super::{attributes, find, paging, quotas, tags};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The specification of a new target group.
#[derive(Debug, Clone, Default)]
pub struct TargetGroupSpec {
    /// Its name, unique in the Region.
    pub name: String,
    /// The port; 80 if absent.
    pub port: Option<u16>,
    /// `HTTP` if absent.
    pub protocol: Option<String>,
    /// The id of the VPC; that of some existing subnet if absent.
    pub vpc: Option<String>,
    /// Its health check.
    pub health: HealthCheck,
    /// Attributes that differ from the defaults.
    pub attributes: BTreeMap<String, String>,
    /// The last part of the ARN, 16 hexadecimal digits; generated if absent.
    pub suffix: Option<String>,
}

/// Creates a target group and returns its ARN. If a target group with the same name and settings exists, its ARN
/// is returned (API model: the operation is idempotent). Errors: DuplicateTargetGroupName, TooManyTargetGroups,
/// ValidationError for health check settings out of range.
pub fn create_target_group(world: &mut World, spec: TargetGroupSpec) -> ApiResult<String> {
    let port = spec.port.unwrap_or(80);
    let protocol = spec.protocol.unwrap_or_else(|| "HTTP".to_owned());
    let any = || world.ec2.subnets.values().next().map(|subnet| subnet.vpc.clone());
    let vpc = spec.vpc.or_else(any).unwrap_or_default();
    if let Some(same) = world.elbv2.target_groups.values().find(|g| g.name == spec.name) {
        let equal = (same.port, &same.protocol, &same.vpc, &same.health)
            == (port, &protocol, &vpc, &spec.health);
        return if equal {
            Ok(same.arn.clone())
        } else {
            Err(ApiError::sender(
                "DuplicateTargetGroupName",
                format!(
                    "A target group with the same name '{}' exists, but with different settings",
                    spec.name
                ),
            ))
        };
    }
    if world.elbv2.target_groups.len() >= quotas::TARGET_GROUPS {
        return Err(ApiError::sender(
            "TooManyTargetGroups",
            "The maximum number of target groups has been reached",
        ));
    }
    spec.health.check()?;
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
        port,
        protocol,
        vpc,
        health: spec.health,
        attributes: merged,
        targets: BTreeMap::new(),
        check_scheduled: false,
    };
    world.elbv2.target_groups.insert(arn.clone(), group);
    Ok(arn)
}

/// `CreateTargetGroup`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let kind = input.str("TargetType").unwrap_or("instance");
    if kind != "instance" {
        return Err(validation(format!("The lab does not support target groups of type '{kind}'")));
    }
    let name = input.need_str("Name")?.to_owned();
    name_error("target group", &name).map_or(Ok(()), Err)?;
    let protocol =
        input.str("Protocol").ok_or_else(|| validation("A protocol must be specified"))?;
    if !matches!(protocol, "HTTP" | "HTTPS") {
        return Err(validation(format!(
            "1 validation error detected: Value '{protocol}' at 'protocol' failed to satisfy constraint: Member must satisfy enum value set: [HTTP, HTTPS] (the lab supports only Application Load Balancers)"
        )));
    }
    let port = input.int("Port").ok_or_else(|| validation("A port must be specified"))?;
    let port = u16::try_from(port)
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| validation(format!("Port '{port}' must be between 1 and 65535")))?;
    let vpc = input.str("VpcId").ok_or_else(|| validation("A VPC ID must be specified"))?;
    if !world.ec2.vpcs.contains_key(vpc) {
        return Err(validation(format!("The VPC ID '{vpc}' is not found")));
    }
    let given = tags::read(input.list("Tags"))?;
    let spec = TargetGroupSpec {
        name,
        port: Some(port),
        protocol: Some(protocol.to_owned()),
        vpc: Some(vpc.to_owned()),
        health: HealthCheck::default().with(input)?,
        attributes: BTreeMap::new(),
        suffix: None,
    };
    let arn = create_target_group(world, spec)?;
    tags::store(world, &arn, given);
    Ok(map([("TargetGroups", vec![write(world, find::target_group(world, &arn)?)].into())]))
}

/// `ModifyTargetGroup`: changes the health check, the only part that can be changed.
pub(super) fn modify(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("TargetGroupArn")?;
    let health = find::target_group(world, arn)?.health.clone().with(input)?;
    health.check()?;
    if let Some(group) = world.elbv2.target_groups.get_mut(arn) {
        group.health = health;
    }
    Ok(map([("TargetGroups", vec![write(world, find::target_group(world, arn)?)].into())]))
}

/// `DeleteTargetGroup`: refused while a rule forwards to it. No error if it doesn't exist, since the API model has
/// none.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("TargetGroupArn")?;
    if find::load_balancer_of(world, arn).is_some() {
        return Err(ApiError::sender(
            "ResourceInUse",
            format!("Target group '{arn}' is currently in use by a listener or a rule"),
        ));
    }
    world.elbv2.target_groups.remove(arn);
    world.elbv2.remove_orphaned_tags();
    Ok(map([]))
}

/// `DescribeTargetGroups`.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (arns, names) = (input.strings("TargetGroupArns"), input.strings("Names"));
    for arn in &arns {
        find::target_group(world, arn)?;
    }
    let all = &world.elbv2.target_groups;
    if let Some(missing) = names.iter().find(|name| !all.values().any(|g| g.name == **name)) {
        return Err(target_group_not_found(missing));
    }
    let balancer = input.str("LoadBalancerArn");
    balancer.map_or(Ok(()), |arn| find::load_balancer(world, arn).map(|_| ()))?;
    let everything = arns.is_empty() && names.is_empty();
    let found = all
        .values()
        .filter(|g| everything || arns.contains(&g.arn) || names.contains(&g.name))
        .filter(|g| balancer.is_none() || find::load_balancer_of(world, &g.arn) == balancer)
        .map(|g| write(world, g))
        .collect();
    paging::page("TargetGroups", found, input)
}

fn write(world: &World, group: &TargetGroup) -> Value {
    let health = &group.health;
    let seconds = |d: Duration| Value::Int(d.as_secs() as i64);
    let balancers = find::load_balancer_of(world, &group.arn)
        .into_iter()
        .map(Into::into)
        .collect::<Vec<Value>>();
    map([
        ("TargetGroupArn", group.arn.as_str().into()),
        ("TargetGroupName", group.name.as_str().into()),
        ("Protocol", group.protocol.as_str().into()),
        ("Port", i64::from(group.port).into()),
        ("VpcId", group.vpc.as_str().into()),
        ("HealthCheckProtocol", health.protocol.as_str().into()),
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
