//! A situation for a single tick, and what was decided in it.

use jiff::{SignedDuration, Timestamp};

use super::world::*;
use crate::model::*;
use crate::*;

/// Decides one tick of a rollout with steps of 10% and 100%.
pub(super) fn tick(phase: Phase, change: impl FnOnce(&mut Record, &mut Observation)) -> Decision {
    tick_of(&plan(&[10, 100]), phase, change)
}

/// Decides one tick of `plan` over two groups.
pub(super) fn tick_of(
    plan: &Plan,
    phase: Phase,
    change: impl FnOnce(&mut Record, &mut Observation),
) -> Decision {
    let (mut record, mut observation) = (record(phase), observation());
    change(&mut record, &mut observation);
    decide(plan, &record, &observation)
}

pub(super) fn pair(plan: &mut Plan) -> &mut Pair {
    match &mut plan.shape {
        Shape::TwoGroups(pair) => pair,
        Shape::OneGroup(_) => panic!("two groups"),
    }
}

pub(super) fn facts(record: &mut Record) -> &mut TwoGroupsFacts {
    match &mut record.fleet {
        FleetFacts::TwoGroups(facts) => facts,
        FleetFacts::OneGroup(_) => panic!("two groups"),
    }
}

/// Returns the time so many seconds before the observation.
pub(super) fn ago(seconds: i64) -> Timestamp {
    start() - SignedDuration::from_secs(seconds)
}

/// Returns a refresh to `version` with the preferences for a group without traffic.
pub(super) fn refresh(id: &str, status: RefreshStatus, version: u64) -> InstanceRefresh {
    InstanceRefresh {
        id: id.to_owned(),
        status,
        reason: None,
        percent: None,
        remaining: None,
        started: None,
        desired: Some(template(version)),
        preferences: Some(RefreshPreferences {
            skip_matching: true,
            ..RefreshPreferences::default()
        }),
    }
}

pub(super) fn scale_in(at: Timestamp) -> ScheduledAction {
    ScheduledAction {
        name: SCALE_IN_ACTION.to_owned(),
        at: Some(at),
        min: Some(0),
        max: None,
        desired: Some(0),
        recurring: false,
    }
}

pub(super) fn actions(next: &Decision) -> Vec<String> {
    next.actions.iter().map(describe).collect()
}

/// Returns what the tick waits for, if it waits for one thing.
pub(super) fn waits_for(next: &Decision) -> Option<&str> {
    next.events.iter().find_map(|event| match event {
        Event::Waiting { message, .. } => Some(message.as_str()),
        _ => None,
    })
}

/// Returns the deadline of what the tick waits for, in seconds from now.
pub(super) fn deadline(next: &Decision) -> Option<i64> {
    next.events.iter().find_map(|event| match event {
        Event::Waiting { until, .. } => Some(until.as_ref()?.duration_since(start()).as_secs()),
        _ => None,
    })
}

/// Returns everything that the tick noticed, one a line.
pub(super) fn notices(next: &Decision) -> String {
    let notice = |event: &Event| match event {
        Event::Notice { message } => Some(message.clone()),
        _ => None,
    };
    next.events.iter().filter_map(notice).collect::<Vec<_>>().join("\n")
}

/// Returns why the rollout rolls back, or why it is stuck.
pub(super) fn reason(next: &Decision) -> &str {
    next.record.reason.as_deref().unwrap_or_default()
}

/// All phases.
pub(crate) const ALL: [Phase; 16] = [
    Phase::TakeOver,
    Phase::Prepare,
    Phase::CancelScaleIn,
    Phase::Refresh,
    Phase::ScaleOut,
    Phase::AddToRules,
    Phase::Healthy,
    Phase::SmokeTest,
    Phase::Shift,
    Phase::Bake,
    Phase::Settle,
    Phase::Verify,
    Phase::ScheduleScaleIn,
    Phase::RestoreTraffic,
    Phase::Undo,
    Phase::Done,
];
