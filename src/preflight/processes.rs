//! Checks that no process which a rollout needs is suspended.

use super::finding::Finding;
use super::view::View;
use cutover_config::{Fleet, ScaleIn};

/// Processes that a rollout needs, and what happens without them. `AZRebalance` and `AlarmNotification` may be
/// suspended; `ScheduledActions` is only needed for the scheduled scale-in.
const NEEDED: [(&str, &str); 6] = [
    ("AddToLoadBalancer", "new instances would never be registered"),
    ("HealthCheck", "unhealthy instances would not be noticed"),
    ("InstanceRefresh", "a refresh would pause forever"),
    ("Launch", "no instance would be launched"),
    ("ReplaceUnhealthy", "unhealthy instances would not be replaced"),
    ("Terminate", "old instances would not be terminated"),
];

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let retires =
        view.config.scale_in == ScaleIn::Scheduled && matches!(view.config.fleet, Fleet::Pair(_));
    let mut findings = Vec::new();
    for facts in view.groups() {
        let group = &facts.group;
        let consequences: Vec<(&str, &str)> = NEEDED
            .into_iter()
            .chain(
                retires.then_some(("ScheduledActions", "the old group would never be scaled in")),
            )
            .filter(|(process, _)| group.suspended.iter().any(|suspended| suspended == process))
            .collect();
        if consequences.is_empty() {
            continue;
        }
        let descriptions: Vec<String> =
            consequences.iter().map(|(process, what)| format!("{process} ({what})")).collect();
        let names: Vec<&str> = consequences.iter().map(|(process, _)| *process).collect();
        findings.push(
            Finding::error(
                "processes",
                format!("`{}` has suspended processes: {}", group.name, descriptions.join(", ")),
                "find out why they were suspended, then resume them",
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
