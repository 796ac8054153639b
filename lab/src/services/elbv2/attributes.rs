//! Attributes of load balancers, target groups and listeners: keys with string values, and the API's defaults.

use std::collections::BTreeMap;

use super::action::Forward;
use super::errors::validation;
use super::{actions, find};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The attributes of an Application Load Balancer, and their defaults (API model).
const LOAD_BALANCER: &[(&str, &str)] = &[
    ("access_logs.s3.bucket", ""),
    ("access_logs.s3.enabled", "false"),
    ("access_logs.s3.prefix", ""),
    ("client_keep_alive.seconds", "3600"),
    ("connection_logs.s3.bucket", ""),
    ("connection_logs.s3.enabled", "false"),
    ("connection_logs.s3.prefix", ""),
    ("deletion_protection.enabled", "false"),
    ("idle_timeout.timeout_seconds", "60"),
    ("load_balancing.cross_zone.enabled", "true"),
    ("routing.http.desync_mitigation_mode", "defensive"),
    ("routing.http.drop_invalid_header_fields.enabled", "false"),
    ("routing.http.preserve_host_header.enabled", "false"),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false"),
    ("routing.http.xff_client_port.enabled", "false"),
    ("routing.http.xff_header_processing.mode", "append"),
    ("routing.http2.enabled", "true"),
    ("waf.fail_open.enabled", "false"),
    ("zonal_shift.config.enabled", "false"),
];

/// The attributes of a target group of type `instance` for Application Load Balancers, and their defaults (API
/// model).
const TARGET_GROUP: &[(&str, &str)] = &[
    ("deregistration_delay.timeout_seconds", "300"),
    ("load_balancing.algorithm.anomaly_mitigation", "off"),
    ("load_balancing.algorithm.type", "round_robin"),
    ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
    ("slow_start.duration_seconds", "0"),
    ("stickiness.app_cookie.cookie_name", ""),
    ("stickiness.app_cookie.duration_seconds", "86400"),
    ("stickiness.enabled", "false"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
    ("stickiness.type", "lb_cookie"),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
    ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"),
];

/// The listener attributes that are not empty by default (API model). The many
/// `routing.http.response.*.header_value` and `routing.http.request.*.header_name` are empty.
const LISTENER: &[(&str, &str)] = &[("routing.http.response.server.enabled", "true")];

/// The prefixes of the listener attributes that have no value by default.
const PREFIXES_WITHOUT_DEFAULT: [&str; 2] = ["routing.http.request.", "routing.http.response."];

pub(super) fn listener_defaults() -> BTreeMap<String, String> {
    defaults(LISTENER)
}

/// `DescribeListenerAttributes`.
pub(super) fn describe_listener(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("ListenerArn")?;
    Ok(write(&find::listener(world, arn)?.attributes))
}

/// `ModifyListenerAttributes`.
pub(super) fn modify_listener(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("ListenerArn")?;
    let mut attributes = find::listener(world, arn)?.attributes.clone();
    for given in input.list("Attributes") {
        let key = given.str("Key").unwrap_or_default();
        if PREFIXES_WITHOUT_DEFAULT.iter().any(|prefix| key.starts_with(prefix)) {
            attributes.entry(key.to_owned()).or_default();
        }
    }
    merge(&mut attributes, input)?;
    let written = write(&attributes);
    if let Some(listener) = world.elbv2.listeners.get_mut(arn) {
        listener.attributes = attributes;
    }
    Ok(written)
}

pub(super) fn load_balancer_defaults() -> BTreeMap<String, String> {
    defaults(LOAD_BALANCER)
}

pub(super) fn target_group_defaults() -> BTreeMap<String, String> {
    defaults(TARGET_GROUP)
}

fn defaults(table: &[(&str, &str)]) -> BTreeMap<String, String> {
    table.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// `DescribeLoadBalancerAttributes`.
pub(super) fn describe_load_balancer(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("LoadBalancerArn")?;
    Ok(write(&find::load_balancer(world, arn)?.attributes))
}

/// `ModifyLoadBalancerAttributes`.
pub(super) fn modify_load_balancer(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("LoadBalancerArn")?;
    let mut attributes = find::load_balancer(world, arn)?.attributes.clone();
    merge(&mut attributes, input)?;
    in_range(&attributes, "idle_timeout.timeout_seconds", |n| (1..=4000).contains(&n))?;
    in_range(&attributes, "client_keep_alive.seconds", |n| (60..=604_800).contains(&n))?;
    let written = write(&attributes);
    if let Some(balancer) = world.elbv2.load_balancers.get_mut(arn) {
        balancer.attributes = attributes;
    }
    Ok(written)
}

/// `DescribeTargetGroupAttributes`.
pub(super) fn describe_target_group(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("TargetGroupArn")?;
    Ok(write(&find::target_group(world, arn)?.attributes))
}

/// `ModifyTargetGroupAttributes`. Draining targets keep their original deregistration delay.
pub(super) fn modify_target_group(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("TargetGroupArn")?;
    let mut attributes = find::target_group(world, arn)?.attributes.clone();
    merge(&mut attributes, input)?;
    in_range(&attributes, "deregistration_delay.timeout_seconds", |n| (0..=3600).contains(&n))?;
    in_range(&attributes, "slow_start.duration_seconds", |n| n == 0 || (30..=900).contains(&n))?;
    in_range(&attributes, "stickiness.lb_cookie.duration_seconds", |n| (1..=604_800).contains(&n))?;
    one_of(&attributes, "stickiness.type", &["lb_cookie", "app_cookie"])?;
    one_of(
        &attributes,
        "load_balancing.algorithm.type",
        &["round_robin", "least_outstanding_requests", "weighted_random"],
    )?;
    one_of(
        &attributes,
        "load_balancing.cross_zone.enabled",
        &["true", "false", "use_load_balancer_configuration"],
    )?;
    let is = |key: &str, value: &str| attributes.get(key).is_some_and(|v| v == value);
    if !is("slow_start.duration_seconds", "0")
        && !is("load_balancing.algorithm.type", "round_robin")
    {
        return Err(ApiError::sender(
            "InvalidConfigurationRequest",
            "Slow start mode is supported by the round robin algorithm only",
        ));
    }
    let mut forwards = world.elbv2.rules.values().filter_map(|rule| rule.forward());
    let lacking = |forward: &Forward| forward.lacks_stickiness(|group| group == arn);
    if is("stickiness.enabled", "true") && forwards.any(lacking) {
        return Err(actions::needs_stickiness());
    }
    let written = write(&attributes);
    if let Some(group) = world.elbv2.target_groups.get_mut(arn) {
        group.attributes = attributes;
    }
    Ok(written)
}

fn in_range(
    attributes: &BTreeMap<String, String>,
    key: &str,
    good: fn(i64) -> bool,
) -> ApiResult<()> {
    let value = attributes.get(key).map_or("", String::as_str);
    if value.parse().is_ok_and(good) { Ok(()) } else { Err(bad_value(key, value)) }
}

fn one_of(attributes: &BTreeMap<String, String>, key: &str, good: &[&str]) -> ApiResult<()> {
    let value = attributes.get(key).map_or("", String::as_str);
    if good.contains(&value) { Ok(()) } else { Err(bad_value(key, value)) }
}

fn bad_value(key: &str, value: &str) -> ApiError {
    validation(format!("The value '{value}' of attribute '{key}' is not valid"))
}

fn merge(attributes: &mut BTreeMap<String, String>, input: &Value) -> ApiResult<()> {
    for given in input.list("Attributes") {
        let key = given.need_str("Key")?;
        let Some(value) = attributes.get_mut(key) else {
            return Err(ApiError::sender(
                "InvalidConfigurationRequest",
                format!("Attribute key '{key}' is not recognized"),
            ));
        };
        let new = given.str("Value").unwrap_or_default();
        let flag = matches!(value.as_str(), "true" | "false") && !key.contains("cross_zone");
        if flag && !matches!(new, "true" | "false") {
            return Err(bad_value(key, new));
        }
        *value = new.to_owned();
    }
    Ok(())
}

fn write(attributes: &BTreeMap<String, String>) -> Value {
    let written = attributes
        .iter()
        .map(|(key, value)| map([("Key", key.as_str().into()), ("Value", value.as_str().into())]));
    map([("Attributes", written.collect::<Vec<_>>().into())])
}
