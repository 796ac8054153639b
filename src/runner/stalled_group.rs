//! Explains why a group did not get capacity or become healthy, for the outcome's hint.

use jiff::Timestamp;

use cutover_aws::{Aws, ErrorClass};
use cutover_rollout::model::{FleetFacts, Phase, Record, Status};
use cutover_rollout::{Decision, Observation, Plan, Shape};

/// A group that a rollout has given up waiting for, and since when it waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StalledGroup {
    group: String,
    since: Timestamp,
}

impl StalledGroup {
    /// Returns the group if this tick gave up waiting for capacity or health. `before` is the record that the tick
    /// began with.
    pub(super) fn of(
        plan: &Plan,
        before: &Record,
        observation: &Observation,
        next: &Decision,
    ) -> Option<StalledGroup> {
        let waited = matches!(before.phase, Phase::Refresh | Phase::ScaleOut | Phase::Healthy);
        let stuck = next.end.as_ref().is_some_and(|end| end.status == Status::Stuck);
        // If no traffic has to be restored, the same tick goes on to the undo.
        let gave_up = stuck || matches!(next.record.phase, Phase::RestoreTraffic | Phase::Undo);
        // A refusal by AWS explains itself.
        if !waited || !gave_up || observation.refused.is_some() {
            return None;
        }
        let group = match (&plan.shape, &before.fleet) {
            (Shape::TwoGroups(pair), FleetFacts::TwoGroups(facts)) => {
                pair.sides[facts.old.other()].group.clone()
            }
            (Shape::OneGroup(group), _) => group.group.clone(),
            (Shape::TwoGroups(_), FleetFacts::OneGroup(_)) => return None,
        };
        Some(StalledGroup { group, since: before.since })
    }

    /// Returns what Auto Scaling says about the group's newest failed activity; `None` if there is none, or if AWS
    /// does not respond.
    pub(super) async fn cause(&self, cloud: &Aws) -> Option<String> {
        let StalledGroup { group, since } = self;
        match cloud.newest_failed_activity(group, *since).await {
            Ok(failure) => failure.map(|message| {
                format!("{group} could not launch or terminate an instance: {message}")
            }),
            Err(error) if error.class == ErrorClass::Denied => Some(format!(
                "the scaling activities of {group} could not be read: {}",
                error.hint()
            )),
            Err(_) => None,
        }
    }
}
