//! Groups that notice what the load balancer notices, and give instances time to start.

use super::finding::Finding;
use super::view::View;
use crate::config::Fleet;

const TOPIC: &str = "health checks";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let rolling = matches!(view.config.fleet, Fleet::Single(_));
    let mut findings = Vec::new();
    for facts in view.groups() {
        let group = &facts.group;
        let update = format!(
            "aws autoscaling update-auto-scaling-group --auto-scaling-group-name {}",
            group.name
        );
        if group.elb_health && group.grace.is_zero() {
            findings.push(
                Finding::error(
                    TOPIC,
                    format!(
                        "`{}` uses the load balancer's health checks with a grace period of 0: \
                         instances are replaced before they can have started, again and again",
                        group.name
                    ),
                    "give it at least the time that an instance takes until it answers",
                )
                .cli(format!("{update} --health-check-grace-period 120")),
            );
        } else if !group.elb_health && !group.target_groups.is_empty() {
            let message = format!(
                "`{}` does not use the load balancer's health checks: {}",
                group.name,
                if rolling {
                    "a refresh would count instances that answer nothing as healthy"
                } else {
                    "it keeps instances that answer nothing"
                }
            );
            let remedy = "turn them on, with a grace period";
            let finding = if rolling {
                Finding::error(TOPIC, message, remedy)
            } else {
                Finding::warning(TOPIC, message, remedy)
            };
            findings.push(
                finding.cli(format!(
                    "{update} --health-check-type ELB --health-check-grace-period 120"
                )),
            );
        }
    }
    findings
}
