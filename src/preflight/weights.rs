//! Rules that name the pair, and one colour that has all their weight.

use super::finding::Finding;
use super::selection::{names, shares};
use super::view::View;
use crate::model::{Colour, PerColour, Rule, RuleId};

const TOPIC: &str = "rules";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let (Some(pair), Some(arns)) = (&view.pair, view.arns()) else { return Vec::new() };
    let mut findings = Vec::new();
    for id in &view.selection.missing {
        findings.push(
            Finding::error(
                TOPIC,
                format!("the configured rule {id} does not exist on the pair's load balancer"),
                "correct `traffic.rules` in cutover.yaml, or leave it out",
            )
            .cli(show(id)),
        );
    }
    for id in &view.selection.others {
        findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "{id} forwards to the pair, but is not configured: its traffic would \
                         stay behind on a group that is replaced"
                ),
                "add it to `traffic.rules`, leave `traffic.rules` out, or take the pair out of it",
            )
            .cli(show(id)),
        );
    }
    let moving: Vec<&Rule> = view.selection.moving.iter().filter_map(|id| view.rule(id)).collect();
    for rule in &moving {
        findings.extend(forwards(rule, arns));
    }
    if moving.is_empty() && view.selection.missing.is_empty() {
        let [blue, green] = Colour::BOTH.map(|colour| &pair[colour].target_group.name);
        findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "no rule forwards to `{blue}` or `{green}`, so there is no traffic to move"
                ),
                "let a rule or a listener's default action forward to the group that is to be live",
            )
            .cli("aws elbv2 describe-load-balancers --query 'LoadBalancers[].LoadBalancerArn'"),
        );
    }
    // Rules without either are told above.
    let split = moving.iter().all(|rule| names(rule, arns)) && !moving.is_empty();
    if split && view.live.is_none() && view.facts.unfinished.is_none() {
        findings.push(undecided(&moving, arns));
    }
    findings
}

/// A rule that can carry the pair's weights.
fn forwards(rule: &Rule, arns: PerColour<&str>) -> Vec<Finding> {
    let id = &rule.id;
    let Some(forward) = &rule.forward else {
        return vec![
            Finding::error(
                TOPIC,
                format!("{id} is configured, but forwards nowhere"),
                "let it forward to the live target group, or take it out of `traffic.rules`",
            )
            .cli(show(id)),
        ];
    };
    let mut findings = Vec::new();
    if !names(rule, arns) {
        findings.push(
            Finding::error(
                TOPIC,
                format!("{id} is configured, but forwards to neither target group of the pair"),
                "let it forward to the live target group, or take it out of `traffic.rules`",
            )
            .cli(show(id)),
        );
    } else if let Some((third, _)) =
        forward.weights.iter().find(|(arn, _)| arn != arns.blue && arn != arns.green)
    {
        findings.push(
            Finding::error(
                TOPIC,
                format!("{id} forwards to a third target group, too: {third}"),
                "take it out of the rule: the shares of a pair must add up to all requests",
            )
            .cli(show(id)),
        );
    }
    findings
}

/// Nobody can tell from the outside which colour is meant to be live.
fn undecided(moving: &[&Rule], arns: PerColour<&str>) -> Finding {
    let shares: Vec<String> = moving
        .iter()
        .map(|rule| {
            let PerColour { blue, green } = shares(rule, arns);
            format!("{} (blue {blue} %, green {green} %)", rule.id)
        })
        .collect();
    let finding = Finding::error(
        "weights",
        format!(
            "no colour has all the weight, and no record says why: {}. Which one is live is a \
             question for a person",
            shares.join(", ")
        ),
        "give all weight in every rule to the colour that is to be live; if one of these rules is \
         for tests, say so by `traffic.test` or `traffic.rules`",
    );
    match moving.first() {
        Some(first) => finding.cli(show(&first.id)),
        None => finding,
    }
}

/// The line that shows a rule. Changing it takes its whole action list, so none is offered.
fn show(id: &RuleId) -> String {
    match id {
        RuleId::Rule(arn) => format!("aws elbv2 describe-rules --rule-arns {arn}"),
        RuleId::ListenerDefault(arn) => {
            format!("aws elbv2 describe-listeners --listener-arns {arn}")
        }
    }
}
