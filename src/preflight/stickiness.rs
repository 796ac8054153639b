//! Cookies that pin clients, and slow starts: weights then aren't what they seem.

use super::finding::Finding;
use super::view::View;
use crate::model::Colour;

const TOPIC: &str = "stickiness";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let Some(pair) = &view.pair else { return Vec::new() };
    let mut findings = Vec::new();
    let moving = view.selection.moving.iter().filter_map(|id| view.rule(id));
    for rule in moving {
        let stickiness = rule.forward.as_ref().and_then(|forward| forward.stickiness);
        if stickiness.is_some() && view.config.traffic.test.is_none() {
            findings.push(Finding::error(
                TOPIC,
                format!(
                    "{} keeps clients with their target group, and there is no test rule to keep \
                     the other one checked while everybody is moved",
                    rule.id
                ),
                "configure `traffic.test` and its rule, or turn group stickiness off",
            ));
        } else if let Some(stickiness) = stickiness {
            findings.push(Finding::warning(
                TOPIC,
                format!(
                    "{} keeps clients with their target group for {} s, renewed by every request: \
                     a step moves new clients only",
                    rule.id, stickiness.seconds
                ),
                "turn group stickiness off where the application allows it; promotion and taking \
                 back move everybody all the same",
            ));
        }
        let sticky = Colour::BOTH.into_iter().find(|colour| pair[*colour].target_group.sticky);
        if let (Some(colour), None) = (sticky, stickiness) {
            // API: with two target groups of which one is sticky, a forward without group
            // stickiness is refused (user guide).
            findings.push(
                Finding::error(
                    TOPIC,
                    format!(
                        "`{}` is sticky, but {} is not: the load balancer refuses both colours \
                         in one rule then",
                        pair[colour].target_group.name, rule.id
                    ),
                    "turn the target group's stickiness off, or the rule's on",
                )
                .cli(format!(
                    "aws elbv2 modify-target-group-attributes --target-group-arn {} \
                     --attributes Key=stickiness.enabled,Value=false",
                    pair[colour].target_group.arn
                )),
            );
        }
    }
    for colour in Colour::BOTH {
        let target_group = pair[colour].target_group;
        if !target_group.slow_start.is_zero() {
            findings.push(Finding::warning(
                "slow start",
                format!(
                    "`{}` starts its targets slowly, over {} s: until then they get less than \
                     their share",
                    target_group.name,
                    target_group.slow_start.as_secs()
                ),
                "let every step bake for longer than that",
            ));
        }
    }
    findings
}
