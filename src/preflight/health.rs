//! Checks that groups use the load balancer's health checks, with a grace period.

use super::finding::Finding;
use super::view::View;
use cutover_config::Fleet;

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
                        "`{}` uses the load balancer's health checks with a grace period of 0 s: \
                         instances are repeatedly replaced before they have started",
                        group.name
                    ),
                    "set it to at least the time that an instance needs to answer requests",
                )
                .cli(format!("{update} --health-check-grace-period 120")),
            );
        } else if !group.elb_health && !group.target_groups.is_empty() {
            let message = format!(
                "`{}` does not use the load balancer's health checks: {}",
                group.name,
                if rolling {
                    "a refresh would count instances that do not answer as healthy"
                } else {
                    "it keeps instances that do not answer"
                }
            );
            let remedy = "enable them, with a grace period";
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
