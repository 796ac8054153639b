//! Decides what a rollout does next. [`decide`] is a total, pure function of the plan, the record and the latest
//! observation. It returns the next record, the changes to send, and when to observe again. It has no clock, no I/O
//! and no randomness, so a test can construct any situation.
//!
//! Blue-green, canary and linear are one state machine (`two_groups`) with different steps; rolling is another
//! (`one_group`).

mod action;
mod evidence;
mod gate;
pub mod judge;
pub mod model;
pub mod mutant;
mod needs;
mod not_ready;
mod observation;
mod one_group;
mod plan;
mod refresh;
pub mod template;
mod tick;
mod two_groups;

#[cfg(test)]
mod tests;

pub use action::{Action, SCALE_IN_ACTION, scheduled_scale_in};
pub use gate::{ready_targets, required_targets};
pub use needs::{Needs, needs};
pub use not_ready::{NotReady, Reading};
pub use observation::{
    AlarmState, Claim, Observation, ObservedGroup, Proof, SmokeResult, Successor,
};
pub use plan::{Deadlines, OneGroup, Pair, Plan, Shape, Side, Smoke, Step};
pub use tick::{Decision, Exit};

use crate::model::{FleetFacts, Record};
use tick::Tick;

/// The time after which new weights are assumed to apply everywhere, and a request that another process sent to have
/// arrived: a visibility lag of 50 s plus twice the limits of 5 s on reading and on sending. How long weights take to
/// propagate is undocumented: 120 s fixed an outage that others had with much larger fleets, and the settle phase
/// waits longer than that.
pub const T: std::time::Duration = std::time::Duration::from_secs(60);

/// Proves that all traffic is on the record's version, and on nothing else: what exit code 0 asserts.
///
/// # Errors
/// Returns what the proof lacks.
pub fn prove(plan: &Plan, record: &Record, observation: &Observation) -> Result<(), NotReady> {
    let mut tick = Tick::new(plan, record, observation);
    match &plan.shape {
        Shape::TwoGroups(pair) => two_groups::prove(&mut tick, pair),
        Shape::OneGroup(group) => one_group::prove(&tick, tick.observed_group(&group.group)?),
    }
}

/// Decides one tick. The record must have the shape of the plan. If it does not, because `fleet` was changed in the
/// configuration in between, the run ends as stuck.
pub fn decide(plan: &Plan, record: &Record, observation: &Observation) -> Decision {
    let mut tick = Tick::new(plan, record, observation);
    if let Some(next) = tick.superseded() {
        return next;
    }
    if let Some(ending) = record.status {
        tick.end(ending, "this rollout has ended", None);
        return tick.finish();
    }
    match (&plan.shape, &record.fleet) {
        (Shape::TwoGroups(pair), FleetFacts::TwoGroups(_)) => two_groups::decide(&mut tick, pair),
        (Shape::OneGroup(group), FleetFacts::OneGroup(_)) => one_group::decide(&mut tick, group),
        _ => tick.stuck(
            "the unfinished rollout and `fleet` in cutover.yaml differ: one has one group, the other has two",
            "restore the earlier `fleet` in cutover.yaml, run `cutover rollback`, then change it again",
        ),
    }
    tick.finish()
}
