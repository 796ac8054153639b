//! The rule that reaches the idle colour: there, and tried before the others.

use super::finding::Finding;
use super::view::View;
use crate::config::TestRoute;
use crate::model::{Colour, Rule};

const TOPIC: &str = "test rule";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let (Some(route), Some(arns)) = (&view.config.traffic.test, view.arns()) else {
        return Vec::new();
    };
    let moving: Vec<&Rule> = view.selection.moving.iter().filter_map(|id| view.rule(id)).collect();
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
                    "{} matches the test header, but does not forward to the pair alone",
                    rule.id
                ),
                "let it forward to the idle colour's target group",
            )
            .cli(format!("aws elbv2 describe-rules --rule-arns {}", rule.id)),
        );
    }
    // The lowest number is tried first; a rule without conditions on the header shadows the test.
    let ahead = moving.iter().find(|other| {
        other.listener == rule.listener
            && other.priority.is_some_and(|p| rule.priority.is_none_or(|own| p < own))
    });
    if let Some(ahead) = ahead {
        findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "the test rule has priority {}, after {} with {}: test requests would reach \
                     the live colour",
                    priority(rule),
                    ahead.id,
                    priority(ahead)
                ),
                "give it a lower number than the rules that carry traffic",
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

fn absent(route: &TestRoute, moving: &[&Rule], view: &View<'_>) -> Finding {
    let (name, value) = &route.header;
    let finding = Finding::error(
        TOPIC,
        format!(
            "no rule of the load balancer asks for `{name}: {value}`, so the idle colour cannot \
             be tested"
        ),
        "create it ahead of the others, forwarding to the idle colour, or take `traffic.test` and \
         `smoke` out of cutover.yaml",
    );
    let idle = view.live.map_or(Colour::Green, Colour::other);
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

/// The highest unused priority ahead of the moving rules of a listener.
fn free_priority(listener: &str, moving: &[&Rule], view: &View<'_>) -> Option<u32> {
    let here = |rule: &&&Rule| rule.listener == listener;
    let first = moving.iter().filter(here).filter_map(|rule| rule.priority).min().unwrap_or(2);
    let used = |priority: &u32| {
        view.facts.rules.iter().any(|r| r.listener == listener && r.priority == Some(*priority))
    };
    (1..first).rev().find(|priority| !used(priority))
}
