//! Checks that no other instance refresh is active.

use super::finding::Finding;
use super::view::View;

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    // The refresh may belong to an unfinished rollout; the run that resumes it decides.
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
                    "an instance refresh of `{name}` that cutover did not start is active: {} ({:?})",
                    active.id, active.status
                ),
                format!(
                    "wait for it, or cancel it with `aws autoscaling cancel-instance-refresh \
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
