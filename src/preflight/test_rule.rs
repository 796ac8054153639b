//! Checks that the test rule exists and is evaluated before the other rules.

use super::finding::Finding;
use super::view::View;
use cutover_config::TestRule;
use cutover_rollout::model::{Color, Rule};

const TOPIC: &str = "test rule";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let (Some(route), Some(arns)) = (&view.config.traffic.test, view.arns()) else {
        return Vec::new();
    };
    let moving: Vec<&Rule> =
        view.selection.traffic_rules.iter().filter_map(|id| view.rule(id)).collect();
    let Some(rule) = view.selection.test.as_ref().and_then(|id| view.rule(id)) else {
        return vec![absent(route, &moving, view)];
    };
    let mut findings = Vec::new();
    let forward = rule.forward.as_ref();
    let foreign = forward
        .is_none_or(|f| f.weights.iter().any(|(arn, _)| *arn != arns.blue && *arn != arns.green));
    if foreign {
        findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "the rule {} matches the test header, but does not forward only to the pair",
                    rule.id
                ),
                "change it to forward to the idle color's target group",
            )
            .cli(format!("aws elbv2 describe-rules --rule-arns {}", rule.id)),
        );
    }
    // The lowest number is evaluated first; a rule before it without the header condition would match test requests.
    let ahead = moving.iter().find(|other| {
        other.listener == rule.listener
            && other.priority.is_some_and(|p| rule.priority.is_none_or(|own| p < own))
    });
    if let Some(ahead) = ahead {
        findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "the test rule has priority {}, after the rule {} with priority {}: test requests \
                     would reach the live color",
                    priority(rule),
                    ahead.id,
                    priority(ahead)
                ),
                "give it a lower number than the rules that forward traffic",
            )
            .cli(format!(
                "aws elbv2 set-rule-priorities --rule-priorities RuleArn={},Priority={}",
                rule.id,
                free_priority(&rule.listener, &moving, view).unwrap_or(1)
            )),
        );
    }
    findings
}

fn priority(rule: &Rule) -> String {
    rule.priority.map_or("default".to_owned(), |priority| priority.to_string())
}

fn absent(route: &TestRule, moving: &[&Rule], view: &View<'_>) -> Finding {
    let (name, value) = &route.header;
    let finding = Finding::error(
        TOPIC,
        format!(
            "no rule of the load balancer has the header condition `{name}: {value}`, so the idle \
             color cannot be tested"
        ),
        "create it with a priority before the others, forwarding to the idle color, or remove \
         `traffic.test` and `smoke` from cutover.yaml",
    );
    let idle = view.live.map_or(Color::Green, Color::other);
    let (Some(first), Some(arns)) = (moving.first(), view.arns()) else { return finding };
    let Some(priority) = free_priority(&first.listener, moving, view) else {
        return finding.cli(format!("aws elbv2 describe-rules --listener-arn {}", first.listener));
    };
    let conditions = serde_json::json!([{
        "Field": "http-header",
        "HttpHeaderConfig": { "HttpHeaderName": name, "Values": [value] },
    }]);
    finding.cli(format!(
        "aws elbv2 create-rule --listener-arn {} --priority {priority} --conditions '{conditions}' \
         --actions Type=forward,TargetGroupArn={}",
        first.listener, arns[idle]
    ))
}

/// Returns the highest unused priority before the rules `moving` of a listener.
fn free_priority(listener: &str, moving: &[&Rule], view: &View<'_>) -> Option<u32> {
    let here = |rule: &&&Rule| rule.listener == listener;
    let first = moving.iter().filter(here).filter_map(|rule| rule.priority).min().unwrap_or(2);
    let used = |priority: &u32| {
        view.facts.rules.iter().any(|r| r.listener == listener && r.priority == Some(*priority))
    };
    (1..first).rev().find(|priority| !used(priority))
}
