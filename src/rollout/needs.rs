//! What a phase must look at: few, batched reads.

use jiff::Timestamp;

use super::{Plan, Shape};
use crate::model::{FleetFacts, Phase, Record};

/// What to read besides the ledger's highest number, groups, rules and target health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Instance refreshes of the groups.
    pub refreshes: bool,
    /// Scheduled actions of the groups.
    pub scheduled: bool,
    /// Rules that name the pair and are none of the plan's: where healthy capacity may be lowered, and
    /// where the time without any weight may begin that has to pass before.
    pub others: bool,
    /// CloudWatch counts from this instant on.
    pub counts_since: Option<Timestamp>,
    /// Alarms.
    pub alarms: bool,
    /// The final verification's reads.
    pub proof: bool,
}

/// The needs of the record's phase.
pub fn needs(plan: &Plan, record: &Record) -> Needs {
    let one = matches!(plan.shape, Shape::OneGroup(_));
    let judged = matches!(record.phase, Phase::Bake | Phase::Shift)
        || (one && record.phase == Phase::Refresh);
    let since = match &record.fleet {
        FleetFacts::TwoGroups(facts) => facts.shifted,
        FleetFacts::OneGroup(_) => Some(record.since),
    };
    Needs {
        // Also while weight is borne: a group that another hand refreshes must not bear any.
        refreshes: !matches!(record.phase, Phase::Join | Phase::Healthy | Phase::Smoke),
        scheduled: matches!(
            record.phase,
            Phase::TakeOver
                | Phase::Free
                | Phase::Shift
                | Phase::Retire
                | Phase::TakeBack
                | Phase::Undo
        ),
        others: matches!(
            record.phase,
            Phase::TakeOver
                | Phase::Free
                | Phase::Refresh
                | Phase::Retire
                | Phase::TakeBack
                | Phase::Undo
        ),
        counts_since: since
            .filter(|_| record.phase == Phase::Settle || (judged && plan.judge.errors.is_some())),
        alarms: judged && !plan.judge.alarms.is_empty(),
        proof: record.phase == Phase::Verify,
    }
}
