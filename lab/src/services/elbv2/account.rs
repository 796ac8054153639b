//! The account's quotas, and the security policies of HTTPS listeners.

use super::{paging, quotas};
use crate::services::paging as pages;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The security policies that the lab knows, the default one first (user guide).
const POLICIES: &[(&str, &[&str])] = &[
    (DEFAULT_POLICY, &["TLSv1", "TLSv1.1", "TLSv1.2"]),
    ("ELBSecurityPolicy-TLS13-1-2-2021-06", &["TLSv1.2", "TLSv1.3"]),
    ("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", &["TLSv1.2", "TLSv1.3"]),
    ("ELBSecurityPolicy-TLS13-1-3-2021-06", &["TLSv1.3"]),
    ("ELBSecurityPolicy-TLS-1-2-2017-01", &["TLSv1.2"]),
    ("ELBSecurityPolicy-FS-1-2-Res-2020-10", &["TLSv1.2"]),
];

/// The security policy of a listener that specifies none (API model).
pub(super) const DEFAULT_POLICY: &str = "ELBSecurityPolicy-2016-08";

/// Checks that a security policy exists; otherwise SSLPolicyNotFound.
pub(super) fn check_policy(name: &str) -> ApiResult<()> {
    if POLICIES.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    Err(ApiError::sender("SSLPolicyNotFound", format!("SSL policy '{name}' not found")))
}

/// `DescribeSSLPolicies`.
pub(super) fn describe_policies(input: &Value) -> ApiResult<Value> {
    let names = input.strings("Names");
    names.iter().try_for_each(|name| check_policy(name))?;
    let kind = "application";
    let found = POLICIES
        .iter()
        .filter(|(name, _)| names.is_empty() || names.iter().any(|wanted| wanted == name))
        .map(|(name, protocols)| {
            let protocols = protocols.iter().map(|protocol| Value::from(*protocol)).collect();
            let cipher =
                map([("Name", "ECDHE-RSA-AES128-GCM-SHA256".into()), ("Priority", 1_i64.into())]);
            map([
                ("SslProtocols", Value::List(protocols)),
                ("Ciphers", Value::List(vec![cipher])),
                ("Name", (*name).into()),
                ("SupportedLoadBalancerTypes", Value::List(vec![kind.into(), "network".into()])),
            ])
        })
        .collect();
    paging::page("SslPolicies", found, input)
}

/// `DescribeAccountLimits`.
pub(super) fn describe_limits(_: &mut World, input: &Value) -> ApiResult<Value> {
    let limits = [
        ("application-load-balancers", quotas::LOAD_BALANCERS),
        ("target-groups", quotas::TARGET_GROUPS),
        ("targets-per-application-load-balancer", 1000),
        ("listeners-per-application-load-balancer", quotas::LISTENERS),
        ("rules-per-application-load-balancer", quotas::RULES),
        ("target-groups-per-application-load-balancer", quotas::GROUPS_OF_RULES),
        ("target-groups-per-action-on-application-load-balancer", super::actions::GROUPS),
        ("target-id-registrations-per-application-load-balancer", 1000),
        ("condition-values-per-alb-rule", super::conditions::VALUES),
        ("condition-wildcards-per-alb-rule", 6),
        ("certificates-per-application-load-balancer", 25),
    ];
    let limits = limits
        .into_iter()
        .map(|(name, most)| map([("Name", name.into()), ("Max", most.to_string().into())]))
        .collect();
    let size = input.int("PageSize").unwrap_or(400).clamp(1, 400) as usize;
    let (items, next) = pages::page(limits, input.str("Marker"), size, "ValidationError")?;
    Ok(map([("Limits", items.into()), ("NextMarker", next.into())]))
}
