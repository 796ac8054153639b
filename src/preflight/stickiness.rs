//! Checks stickiness and slow start, which make the actual shares differ from the weights.

use super::finding::Finding;
use super::view::View;
use cutover_rollout::model::Color;

const TOPIC: &str = "stickiness";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let Some(pair) = &view.pair else { return Vec::new() };
    let mut findings = Vec::new();
    let moving = view.selection.traffic_rules.iter().filter_map(|id| view.rule(id));
    for rule in moving {
        let stickiness = rule.forward.as_ref().and_then(|forward| forward.stickiness);
        if stickiness.is_some() && view.config.traffic.test.is_none() {
            findings.push(Finding::error(
                TOPIC,
                format!(
                    "the rule {} has target group stickiness, and there is no test rule that keeps the \
                     other target group health checked while all clients are shifted",
                    rule.id
                ),
                "configure `traffic.test` and its rule, or disable target group stickiness",
            ));
        } else if let Some(stickiness) = stickiness {
            findings.push(Finding::warning(
                TOPIC,
                format!(
                    "the rule {} keeps clients on their target group for {} s after their last request: \
                     a step shifts only new clients",
                    rule.id, stickiness.seconds
                ),
                "disable target group stickiness if the application allows it; the last step and a \
                 rollback shift all clients anyway",
            ));
        }
        let sticky = Color::BOTH.into_iter().find(|color| pair[*color].target_group.sticky);
        if let (Some(color), None) = (sticky, stickiness) {
            // If one of two target groups is sticky, AWS rejects a forward without target group
            // stickiness (user guide).
            findings.push(
                Finding::error(
                    TOPIC,
                    format!(
                        "`{}` is sticky, but the rule {} is not, so AWS rejects a forward to both \
                         colors",
                        pair[color].target_group.name, rule.id
                    ),
                    "disable stickiness of the target group, or enable it in the rule",
                )
                .cli(format!(
                    "aws elbv2 modify-target-group-attributes --target-group-arn {} \
                     --attributes Key=stickiness.enabled,Value=false",
                    pair[color].target_group.arn
                )),
            );
        }
    }
    for color in Color::BOTH {
        let target_group = pair[color].target_group;
        if !target_group.slow_start.is_zero() {
            findings.push(Finding::warning(
                "slow start",
                format!(
                    "`{}` has a slow start of {} s, during which new targets receive less than \
                     their share",
                    target_group.name,
                    target_group.slow_start.as_secs()
                ),
                "make every step bake longer than that",
            ));
        }
    }
    findings
}
