//! No suspended process that a rollout waits for.

use super::finding::Finding;
use super::view::View;
use crate::config::{Fleet, Retire};

/// Processes without which a rollout hangs or lies, and what comes of it. `AZRebalance` and
/// `AlarmNotification` may be suspended; `ScheduledActions` matters to retirement only.
const NEEDED: [(&str, &str); 6] = [
    ("AddToLoadBalancer", "new instances would never be registered"),
    ("HealthCheck", "unhealthy instances would not be noticed"),
    ("InstanceRefresh", "a refresh would pause for ever"),
    ("Launch", "no instance would be launched"),
    ("ReplaceUnhealthy", "unhealthy instances would stay"),
    ("Terminate", "old instances would stay"),
];

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let retires =
        view.config.retire == Retire::Scheduled && matches!(view.config.fleet, Fleet::Pair(_));
    let mut findings = Vec::new();
    for facts in view.groups() {
        let group = &facts.group;
        let consequences: Vec<(&str, &str)> = NEEDED
            .into_iter()
            .chain(retires.then_some(("ScheduledActions", "the old group would never be retired")))
            .filter(|(process, _)| group.suspended.iter().any(|suspended| suspended == process))
            .collect();
        if consequences.is_empty() {
            continue;
        }
        let told: Vec<String> =
            consequences.iter().map(|(process, what)| format!("{process} ({what})")).collect();
        let names: Vec<&str> = consequences.iter().map(|(process, _)| *process).collect();
        findings.push(
            Finding::error(
                "processes",
                format!("`{}` has suspended {}", group.name, told.join(", ")),
                "find out who suspended it and why, then resume it",
            )
            .cli(format!(
                "aws autoscaling resume-processes --auto-scaling-group-name {} \
                 --scaling-processes {}",
                group.name,
                names.join(" ")
            )),
        );
    }
    findings
}
