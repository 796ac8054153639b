//! What an outcome advises besides what the rollout itself says: the permission that AWS refused, and why nothing was
//! launched.

use jiff::Timestamp;

use crate::cloud::{Class, Cloud};
use crate::model::{Ending, FleetFacts, Phase, Record};
use crate::rollout::{Next, Plan, Seen, Shape};

/// A group that was waited for in vain, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Starved {
    group: String,
    since: Timestamp,
}

impl Starved {
    /// Whether this turn gave up waiting for capacity or health, `before` being the record that it began with.
    pub(super) fn of(plan: &Plan, before: &Record, seen: &Seen, next: &Next) -> Option<Starved> {
        let waited = matches!(before.phase, Phase::Refresh | Phase::Size | Phase::Healthy);
        let stuck = next.end.as_ref().is_some_and(|end| end.ending == Ending::Stuck);
        // Where no traffic has to go back, the rest is undone in the same turn.
        let gave_up = stuck || matches!(next.record.phase, Phase::TakeBack | Phase::Undo);
        // What AWS refused is no waste of time.
        if !waited || !gave_up || seen.refused.is_some() {
            return None;
        }
        let group = match (&plan.shape, &before.fleet) {
            (Shape::TwoGroups(pair), FleetFacts::TwoGroups(facts)) => {
                pair.sides[facts.from.other()].group.clone()
            }
            (Shape::OneGroup(group), _) => group.group.clone(),
            (Shape::TwoGroups(_), FleetFacts::OneGroup(_)) => return None,
        };
        Some(Starved { group, since: before.since })
    }

    /// What Auto Scaling says of it, if one of the group's activities failed. `None` too where AWS does not answer.
    pub(super) async fn cause(&self, cloud: &Cloud) -> Option<String> {
        let Starved { group, since } = self;
        match cloud.newest_failure(group, *since).await {
            Ok(failure) => failure
                .map(|message| format!("{group} could not launch or end an instance: {message}")),
            Err(error) if error.class == Class::Denied => {
                Some(format!("why {group} launched nothing could not be read: {}", error.hint()))
            }
            Err(_) => None,
        }
    }
}

/// Several pieces of advice as one; each comes once.
pub(super) fn joined<const N: usize>(pieces: [Option<String>; N]) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for piece in pieces.into_iter().flatten() {
        if !all.contains(&piece) {
            all.push(piece);
        }
    }
    (!all.is_empty()).then(|| all.join("; "))
}
