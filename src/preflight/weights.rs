//! Checks that the rules forward only to the pair, and that one color receives all traffic.

use super::finding::Finding;
use super::selection::{names, shares};
use super::view::View;
use cutover_rollout::model::{Color, PerColor, Rule, RuleId};

const TOPIC: &str = "rules";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let (Some(pair), Some(arns)) = (&view.pair, view.arns()) else { return Vec::new() };
    let mut findings = Vec::new();
    for id in &view.selection.missing {
        findings.push(
            Finding::error(
                TOPIC,
                format!("the configured rule {id} does not exist on the load balancer of the target groups"),
                "correct `traffic.rules` in cutover.yaml, or remove it",
            )
            .cli(show(id)),
        );
    }
    for id in &view.selection.others {
        findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "the rule {id} forwards to the pair, but is not configured, so its \
                         traffic would stay on a group that is replaced"
                ),
                "add it to `traffic.rules`, remove `traffic.rules`, or remove the target groups from the rule",
            )
            .cli(show(id)),
        );
    }
    let moving: Vec<&Rule> =
        view.selection.traffic_rules.iter().filter_map(|id| view.rule(id)).collect();
    for rule in &moving {
        findings.extend(forwards(rule, arns));
    }
    if moving.is_empty() && view.selection.missing.is_empty() {
        let [blue, green] = Color::BOTH.map(|color| &pair[color].target_group.name);
        findings.push(
            Finding::error(
                TOPIC,
                format!(
                    "no rule forwards to `{blue}` or `{green}`, so there is no traffic to shift"
                ),
                "make a rule or a listener's default action forward to the target group that is to be live",
            )
            .cli("aws elbv2 describe-load-balancers --query 'LoadBalancers[].LoadBalancerArn'"),
        );
    }
    // Rules that forward to neither are reported above.
    let split = moving.iter().all(|rule| names(rule, arns)) && !moving.is_empty();
    if split && view.live.is_none() && view.facts.unfinished.is_none() {
        findings.push(undecided(&moving, arns));
    }
    findings
}

/// Checks that a rule can forward to the pair with weights.
fn forwards(rule: &Rule, arns: PerColor<&str>) -> Vec<Finding> {
    let id = &rule.id;
    let Some(forward) = &rule.forward else {
        return vec![
            Finding::error(
                TOPIC,
                format!("the rule {id} is configured, but does not forward"),
                "make it forward to the live target group, or remove it from `traffic.rules`",
            )
            .cli(show(id)),
        ];
    };
    let mut findings = Vec::new();
    if !names(rule, arns) {
        findings.push(
            Finding::error(
                TOPIC,
                format!("the rule {id} is configured, but does not forward to the configured target groups"),
                "make it forward to the live target group, or remove it from `traffic.rules`",
            )
            .cli(show(id)),
        );
    } else if let Some((third, _)) =
        forward.weights.iter().find(|(arn, _)| arn != arns.blue && arn != arns.green)
    {
        findings.push(
            Finding::error(
                TOPIC,
                format!("the rule {id} also forwards to a third target group: {third}"),
                "remove it from the rule: the two target groups must receive all requests",
            )
            .cli(show(id)),
        );
    }
    findings
}

/// Reports that no color receives all traffic, so it is unknown which one is live.
fn undecided(moving: &[&Rule], arns: PerColor<&str>) -> Finding {
    let shares: Vec<String> = moving
        .iter()
        .map(|rule| {
            let PerColor { blue, green } = shares(rule, arns);
            format!("{} (blue {blue}%, green {green}%)", rule.id)
        })
        .collect();
    let finding = Finding::error(
        "weights",
        format!(
            "no color receives all traffic, and no rollout is unfinished, so the live color is \
             unknown: {}",
            shares.join(", ")
        ),
        "give all weight in every rule to the color that is to be live; if one of these rules is \
         for tests, configure `traffic.test` or `traffic.rules`",
    );
    match moving.first() {
        Some(first) => finding.cli(show(&first.id)),
        None => finding,
    }
}

/// Returns the command that shows a rule. A command to change it would need all of its actions, so there is none.
fn show(id: &RuleId) -> String {
    match id {
        RuleId::Rule(arn) => format!("aws elbv2 describe-rules --rule-arns {arn}"),
        RuleId::ListenerDefault(arn) => {
            format!("aws elbv2 describe-listeners --listener-arns {arn}")
        }
    }
}
