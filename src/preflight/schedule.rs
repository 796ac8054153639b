//! Checks for scheduled actions of others that run during the rollout.

use std::time::Duration;

use super::finding::Finding;
use super::view::View;
use cutover_config::{Config, Fleet};
use cutover_rollout::SCALE_IN_ACTION;

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let end = view.facts.now + expected(view.config);
    let mut findings = Vec::new();
    for facts in view.groups() {
        let name = &facts.group.name;
        for action in facts.scheduled.iter().filter(|action| action.name != SCALE_IN_ACTION) {
            let Some(at) = action.at.filter(|at| *at < end) else { continue };
            let sizes: Vec<String> = [
                ("MinSize", action.min),
                ("MaxSize", action.max),
                ("DesiredCapacity", action.desired),
            ]
            .into_iter()
            .filter_map(|(what, size)| size.map(|size| format!("{what} {size}")))
            .collect();
            findings.push(
                Finding::warning(
                    "schedule",
                    format!(
                        "the scheduled action `{}` of `{name}` runs at {at}, during this rollout, \
                         and sets {}",
                        action.name,
                        sizes.join(", ")
                    ),
                    "deploy before or after it: a step waits until it has run, and is rolled back if \
                     too few instances are left",
                )
                .cli(format!(
                    "aws autoscaling describe-scheduled-actions --auto-scaling-group-name {name} \
                     --scheduled-action-names {}",
                    action.name
                )),
            );
        }
    }
    findings
}

/// Returns how long a successful rollout may take.
fn expected(config: &Config) -> Duration {
    let deadlines = &config.deadlines;
    match config.fleet {
        Fleet::Pair(_) => {
            let bakes: Duration = config.steps().iter().map(|step| step.bake).sum();
            deadlines.refresh + deadlines.healthy + bakes
        }
        Fleet::Single(_) => {
            let bakes = config.rolling.checkpoints.len() as u32 + 1;
            deadlines.refresh + config.rolling.bake * bakes
        }
    }
}
