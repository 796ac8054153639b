//! Checks that groups, target groups and load balancers exist and are of a supported type.

use super::finding::Finding;
use super::view::View;
use cutover_config::Fleet;
use cutover_rollout::model::Color;

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in view.config.groups() {
        if !view.facts.groups.contains_key(name) {
            findings.push(
                Finding::error(
                    "group",
                    format!(
                        "the Auto Scaling group `{name}` does not exist in account {}",
                        view.facts.account
                    ),
                    "correct `fleet` in cutover.yaml, or create the group",
                )
                .cli(
                    "aws autoscaling describe-auto-scaling-groups --query \
                      'AutoScalingGroups[].AutoScalingGroupName'",
                ),
            );
        }
    }
    for name in target_groups(&view.config.fleet) {
        if !view.facts.target_groups.contains_key(name) {
            findings.push(
                Finding::error(
                    "target group",
                    format!(
                        "the target group `{name}` does not exist in account {}",
                        view.facts.account
                    ),
                    "correct `fleet` in cutover.yaml, or create the target group",
                )
                .cli("aws elbv2 describe-target-groups --query 'TargetGroups[].TargetGroupName'"),
            );
        }
    }
    for balancer in view.facts.load_balancers.iter().filter(|lb| lb.kind != "application") {
        findings.push(Finding::error(
            "load balancer",
            format!("{} is a {} load balancer", balancer.dns_name, balancer.kind),
            "put the target groups behind an Application Load Balancer: other types do not count \
             requests per target group, so nothing could be judged",
        ));
    }
    findings
}

fn target_groups(fleet: &Fleet) -> Vec<&str> {
    match fleet {
        Fleet::Single(sole) => sole.target_group.as_deref().into_iter().collect(),
        Fleet::Pair(pair) => Color::BOTH.map(|c| pair[c].target_group.as_str()).to_vec(),
    }
}
