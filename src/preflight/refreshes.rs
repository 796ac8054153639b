//! Nobody else's instance refresh.

use super::finding::Finding;
use super::view::View;

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    // The refresh of an unfinished rollout is its successor's to judge.
    if view.facts.unfinished.is_some() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for facts in view.groups() {
        let name = &facts.group.name;
        let Some(active) = facts.refreshes.iter().find(|refresh| refresh.status.is_active()) else {
            continue;
        };
        findings.push(
            Finding::error(
                "refresh",
                format!(
                    "an instance refresh of `{name}` that is not cutover's is active: {} ({:?})",
                    active.id, active.status
                ),
                format!(
                    "wait for it, or stop it: `aws autoscaling cancel-instance-refresh \
                     --auto-scaling-group-name {name}`"
                ),
            )
            .cli(format!(
                "aws autoscaling describe-instance-refreshes --auto-scaling-group-name {name} \
                 --instance-refresh-ids {}",
                active.id
            )),
        );
    }
    findings
}
