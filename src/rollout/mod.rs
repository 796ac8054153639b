//! What to do next. [`decide`] is a total, pure function: from the plan, the record so far and what
//! was just seen, to the next record, the changes to send, and when to look again. It has no clock,
//! no I/O and no randomness, so that every situation can be a test.
//!
//! Blue-green, canary and linear are one machine ([`two_groups`]) with different steps; rolling is
//! another ([`one_group`]).

mod action;
mod evidence;
mod gate;
pub(crate) mod mutant;
mod needs;
mod one_group;
mod plan;
mod refresh;
mod seen;
mod turn;
mod two_groups;

#[cfg(test)]
mod tests;

pub use action::{Action, RETIREMENT, retirement};
pub use gate::{ready, wanted};
pub use needs::{Needs, needs};
pub use plan::{Deadlines, OneGroup, Pair, Plan, Shape, Side, Smoke, Step};
pub use seen::{AlarmState, Claim, GroupSeen, Proof, Seen, SmokeResult, Successor};
pub use turn::{End, Next};

use crate::model::{FleetFacts, Record};
use turn::Turn;

/// The time after which a weight is taken to have its effect everywhere, and a change that was
/// sent by somebody else to have arrived: a visibility lag of 50 s (weight propagation is
/// undocumented; 120 s mended an outage seen by others with much larger fleets, and the settle
/// phase waits longer) plus twice the bounds of 5 s on reading and on sending.
pub const T: std::time::Duration = std::time::Duration::from_secs(60);

/// What is missing to the proof that the record's version is live and alone: what exit 0 asserts.
/// `None` where nothing is.
pub fn unproven(plan: &Plan, record: &Record, seen: &Seen) -> Option<String> {
    let mut turn = Turn::new(plan, record, seen);
    match &plan.shape {
        Shape::TwoGroups(pair) => two_groups::unproven(&mut turn, pair),
        Shape::OneGroup(group) => match seen.groups.get(&group.group) {
            Some(seen) => one_group::unproven(&turn, seen),
            None => Some(format!("Auto Scaling group `{}` does not exist", group.group)),
        },
    }
}

/// Decides the next turn. The record must be of the shape of the plan: where it is not (the
/// service's fleet was configured otherwise in between), the run stops and says so.
pub fn decide(plan: &Plan, record: &Record, seen: &Seen) -> Next {
    let mut turn = Turn::new(plan, record, seen);
    if let Some(next) = turn.superseded() {
        return next;
    }
    if let Some(ending) = record.ending {
        turn.end(ending, "this rollout has ended", None);
        return turn.finish();
    }
    match (&plan.shape, &record.fleet) {
        (Shape::TwoGroups(pair), FleetFacts::TwoGroups(_)) => two_groups::decide(&mut turn, pair),
        (Shape::OneGroup(group), FleetFacts::OneGroup(_)) => one_group::decide(&mut turn, group),
        _ => turn.stuck(
            "the unfinished rollout was of another shape (one group against two) than the configuration now",
            "restore the earlier `fleet` in cutover.yaml, run `cutover rollback`, then change it",
        ),
    }
    turn.finish()
}
