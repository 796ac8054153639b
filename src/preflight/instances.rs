//! Checks for instances that a refresh would not replace.

use super::finding::Finding;
use super::view::View;
use cutover_rollout::model::{Instance, Lifecycle};

const TOPIC: &str = "instances";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for facts in view.refreshed() {
        let group = &facts.group;
        let ids = |pick: fn(&Instance) -> bool| -> Vec<&str> {
            group.instances.iter().filter(|i| pick(i)).map(|i| i.id.as_str()).collect()
        };
        let protected = ids(|instance| instance.protected);
        if !protected.is_empty() {
            findings.push(
                Finding::error(
                    TOPIC,
                    format!(
                        "{} of `{}` is protected from scale-in: a refresh would not replace it",
                        protected.join(", "),
                        group.name
                    ),
                    "remove the protection, or wait until it is no longer needed",
                )
                .cli(format!(
                    "aws autoscaling set-instance-protection --auto-scaling-group-name {} \
                     --no-protected-from-scale-in --instance-ids {}",
                    group.name,
                    protected.join(" ")
                )),
            );
        }
        let standby = ids(|instance| instance.lifecycle == Lifecycle::Standby);
        if !standby.is_empty() {
            findings.push(
                Finding::error(
                    TOPIC,
                    format!(
                        "{} of `{}` is in standby: a refresh would not replace it",
                        standby.join(", "),
                        group.name
                    ),
                    "return it to service, or terminate it",
                )
                .cli(format!(
                    "aws autoscaling exit-standby --auto-scaling-group-name {} --instance-ids {}",
                    group.name,
                    standby.join(" ")
                )),
            );
        }
    }
    findings
}
