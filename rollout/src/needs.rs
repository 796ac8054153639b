//! What each phase reads: as little as possible, in batches.

use jiff::Timestamp;

use super::{Plan, Shape};
use crate::model::{FleetFacts, Phase, Record};

/// What to read besides the ledger's highest number, the groups, the rules and target health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The groups' instance refreshes.
    pub refreshes: bool,
    /// The groups' scheduled actions.
    pub scheduled_actions: bool,
    /// Rules outside the plan that name one of the two target groups. Read in the phases that may lower healthy
    /// capacity, and in those in which the time without traffic may begin that must pass first.
    pub other_rules: bool,
    /// CloudWatch's request counts since this time.
    pub counts_since: Option<Timestamp>,
    /// The configured alarms.
    pub alarms: bool,
    /// What only the final verification reads.
    pub proof: bool,
}

/// Returns what the record's phase reads.
pub fn needs(plan: &Plan, record: &Record) -> Needs {
    let one = matches!(plan.shape, Shape::OneGroup(_));
    let judged = matches!(record.phase, Phase::Bake | Phase::Shift)
        || (one && record.phase == Phase::Refresh);
    let since = match &record.fleet {
        FleetFacts::TwoGroups(facts) => facts.shifted,
        FleetFacts::OneGroup(_) => Some(record.since),
    };
    Needs {
        // Also while the new side receives traffic: a group that an external change refreshes must not receive any.
        refreshes: !matches!(record.phase, Phase::AddToRules | Phase::Healthy | Phase::SmokeTest),
        scheduled_actions: matches!(
            record.phase,
            Phase::TakeOver
                | Phase::CancelScaleIn
                | Phase::Shift
                | Phase::ScheduleScaleIn
                | Phase::RestoreTraffic
                | Phase::Undo
        ),
        other_rules: matches!(
            record.phase,
            Phase::TakeOver
                | Phase::CancelScaleIn
                | Phase::Refresh
                | Phase::ScheduleScaleIn
                | Phase::RestoreTraffic
                | Phase::Undo
        ),
        counts_since: since
            .filter(|_| record.phase == Phase::Settle || (judged && plan.judge.errors.is_some())),
        alarms: judged && !plan.judge.alarms.is_empty(),
        proof: record.phase == Phase::Verify,
    }
}
