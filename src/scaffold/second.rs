//! Describes a second group like the live one.

use std::collections::BTreeSet;

use super::stack::{Condition, Forward, HealthCheck, SecondGroup, Tag};
use crate::discovery::{Account, GroupWithTarget, Service};
use cutover_aws::{GroupBlueprint, RuleBlueprint, RuleCondition, TargetGroupBlueprint};
use cutover_rollout::model::{RuleId, TemplateSource, VersionSpec};

/// The maximum length of a target group name (API model, TargetGroupName).
const TARGET_GROUP_NAME: usize = 32;
/// The maximum number of condition values in a rule (Elastic Load Balancing quotas); the test header uses one.
const CONDITION_VALUES: usize = 5;

/// The default values of target group attributes (user guide, "Target group attributes").
const DEFAULTS: [(&str, &str); 13] = [
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
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"),
    ("waf.fail_open.enabled", "false"),
];

/// The live group as read from AWS.
#[derive(Debug)]
pub struct LiveGroup<'a> {
    /// The account.
    pub account: &'a Account,
    /// The service, which has one group.
    pub service: &'a Service,
    /// The group.
    pub member: &'a GroupWithTarget,
    /// The configuration of the group.
    pub group: GroupBlueprint,
    /// The configuration of the target group.
    pub target_group: TargetGroupBlueprint,
    /// The configuration of the rules, in the order in which they are evaluated.
    pub rules: Vec<RuleBlueprint>,
}

/// What is not copied from the live group: the second group has AWS's defaults.
pub const NOT_COPIED: &str = "scaling policies, scheduled actions, lifecycle hooks, warm pool, termination and maintenance \
     policies, default warmup and maximum instance lifetime are not copied: add those of the live group";

/// Describes a second group with the network, health checks, launch template and tags of the live group.
///
/// # Errors
/// A message for the user, if no second group is possible.
pub fn second_group(live: &LiveGroup<'_>) -> Result<SecondGroup, String> {
    let name = &live.member.group.name;
    let template = live.member.group.source.template();
    let template =
        template.ok_or_else(|| format!("the group `{name}` does not use a launch template"))?;
    if matches!(live.member.group.source, TemplateSource::Mixed { .. }) {
        return Err(format!(
            "the group `{name}` has a mixed instances policy, which is not supported here yet: copy the group yourself, then \
             run `cutover init --group` with both"
        ));
    }
    let VersionSpec::Number(version) = template.version else {
        return Err(format!(
            "the group `{name}` launches from `{}` at {}, but both groups need the same version number: run `cutover init`, \
             then `cutover adopt`, then this command again",
            template.name, template.version
        ));
    };
    let arn = live.member.target_group.clone();
    let arn = arn.ok_or_else(|| {
        format!(
            "the group `{name}` is not attached to a target group, so no traffic can be shifted"
        )
    })?;
    let first = live.service.rules.first();
    let first = first.ok_or_else(|| format!("no rule forwards to the target group of `{name}`"))?;
    let blueprint = live.rules.iter().find(|rule| rule.id == first.id);
    let conditions = blueprint.and_then(|rule| rule.conditions.clone()).ok_or_else(|| {
        format!("the rule {} has a condition that cutover does not support; write the test rule yourself", first.id)
    })?;
    let values: usize = conditions.iter().map(values_of).sum();
    if values >= CONDITION_VALUES {
        return Err(format!(
            "the rule {} has {values} condition values of at most {CONDITION_VALUES}, but the test rule needs one more for its \
             header: split the rule in two",
            first.id
        ));
    }
    let check = live.target_group.check.clone();
    Ok(SecondGroup {
        region: live.account.region.clone(),
        live_group: name.clone(),
        group: other_name(name, usize::MAX, &taken(live.account.groups.iter().map(|g| &g.name))),
        target_group: other_name(
            live.member.target_group_name().unwrap_or("web"),
            TARGET_GROUP_NAME,
            &taken(live.account.target_groups.iter().map(|group| &group.name)),
        ),
        vpc: live.target_group.vpc.clone(),
        protocol: live.target_group.protocol.clone(),
        protocol_version: live.target_group.protocol_version.clone(),
        port: live.target_group.port,
        health_check: HealthCheck {
            protocol: check.0,
            port: check.1,
            path: check.2,
            interval: live.target_group.times.0,
            timeout: live.target_group.times.1,
            healthy: live.target_group.thresholds.0,
            unhealthy: live.target_group.thresholds.1,
            codes: live.target_group.codes.clone(),
        },
        attributes: live
            .target_group
            .attributes
            .iter()
            .filter(|a| !is_default(a))
            .cloned()
            .collect(),
        launch_template: template.id.clone(),
        version,
        subnets: live.group.subnets.clone(),
        health_check_type: live.group.health_check_type.clone(),
        grace_period: live.group.grace_period,
        max: live.group.max,
        tags: live
            .group
            .tags
            .iter()
            .map(|(key, value, propagate)| Tag {
                key: key.clone(),
                value: value.clone(),
                propagate: *propagate,
            })
            .collect(),
        listener: first.listener.clone(),
        priority: free_priority(live.account, &first.listener, first.priority)?,
        conditions: conditions.into_iter().map(condition).collect(),
        forwards: live.service.rules.iter().map(|rule| forward(rule, live, &arn)).collect(),
    })
}

fn forward(
    rule: &cutover_rollout::model::Rule,
    live: &LiveGroup<'_>,
    target_group: &str,
) -> Forward {
    let stickiness = rule.forward.as_ref().and_then(|forward| forward.stickiness);
    let only_this = rule.forward.as_ref().is_some_and(|forward| forward.weights.len() == 1);
    let alone = live.rules.iter().any(|found| found.id == rule.id && found.forwards_only);
    Forward {
        arn: rule.id.arn().to_owned(),
        is_default: matches!(rule.id, RuleId::ListenerDefault(_)),
        target_group: target_group.to_owned(),
        stickiness: stickiness.map(|stickiness| stickiness.seconds),
        alone: alone && only_this,
    }
}

/// Returns the highest free priority before `before`, so that the test rule is evaluated first, but after the
/// rules of other services.
fn free_priority(account: &Account, listener: &str, before: Option<u32>) -> Result<u32, String> {
    let rules = account.rules.iter().filter(|rule| rule.listener == listener);
    let used: BTreeSet<u32> = rules.filter_map(|rule| rule.priority).collect();
    // 1 to 50,000 (API model, RulePriority). A default action is evaluated last.
    let first = before.unwrap_or_else(|| used.first().copied().unwrap_or(50_000).max(2));
    let free = (1..first).rev().find(|priority| !used.contains(priority));
    free.ok_or_else(|| {
        format!(
            "no priority before {first} is free on the listener for the test rule: give the rules higher numbers with `aws \
             elbv2 set-rule-priorities`"
        )
    })
}

fn taken<'a>(names: impl Iterator<Item = &'a String>) -> BTreeSet<&'a str> {
    names.map(String::as_str).collect()
}

/// Returns a free name for the second group: with green for blue and vice versa, otherwise with the suffix `-green`.
fn other_name(name: &str, limit: usize, taken: &BTreeSet<&str>) -> String {
    let swapped = if name.contains("blue") {
        name.replace("blue", "green")
    } else if name.contains("green") {
        name.replace("green", "blue")
    } else {
        let room = limit.saturating_sub("-green".len());
        let kept: String = name.chars().take(room).collect();
        format!("{}-green", kept.trim_end_matches('-'))
    };
    let fits = |name: &String| name.chars().count() <= limit && !taken.contains(name.as_str());
    let numbered = (2..100).map(|n| {
        let room = limit.saturating_sub(4);
        let kept: String = swapped.chars().take(room).collect();
        format!("{}-{n}", kept.trim_end_matches('-'))
    });
    std::iter::once(swapped.clone()).chain(numbered).find(fits).unwrap_or(swapped)
}

fn is_default((key, value): &(String, String)) -> bool {
    // Attributes that AWS adds later are copied, unless they are off.
    DEFAULTS.contains(&(key.as_str(), value.as_str()))
        || (key.starts_with("target_group_health.") && value == "off")
}

fn values_of(condition: &RuleCondition) -> usize {
    match condition {
        RuleCondition::Values(_, values) | RuleCondition::Header(_, values) => values.len(),
        RuleCondition::Query(pairs) => pairs.len(),
    }
}

fn condition(found: RuleCondition) -> Condition {
    match found {
        RuleCondition::Header(name, values) => Condition::Header { name, values },
        RuleCondition::Query(pairs) => Condition::Query { pairs },
        RuleCondition::Values(field, values) => match field.as_str() {
            "host-header" => Condition::Host { values },
            "http-request-method" => Condition::Method { values },
            "source-ip" => Condition::Source { values },
            _ => Condition::Path { values },
        },
    }
}
