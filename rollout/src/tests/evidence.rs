//! What is read, when, and what the counts say about the new version.

use super::rolling::rolling;
use super::situation::*;
use super::world::*;
use crate::evidence::judge_since;
use crate::judge::{ErrorLimit, Verdict};
use crate::model::*;
use crate::*;

/// Judges green, shifted ten minutes ago, by minutes that began so many seconds ago.
fn judged(minutes: &[(i64, u64, u64)]) -> Verdict {
    let mut observation = observation();
    let minutes = minutes.iter().map(|(began, requests, errors)| {
        (ago(*began), Counts { requests: *requests, errors: *errors })
    });
    let counts = TargetGroupCounts { minutes: minutes.collect() };
    observation.counts.known().insert("tg-green".to_owned(), counts);
    let limit = ErrorLimit { share: 0.01, min_requests: 100 };
    judge_since(&observation, "tg-green", &limit, ago(600)).1
}

/// CloudWatch may have a minute's requests before its errors.
#[test]
fn a_recent_minute_can_fail_a_version_but_not_pass_it() {
    assert_eq!(judged(&[(180, 100, 0)]).name(), "pass");
    assert_eq!(judged(&[(179, 100, 0)]).name(), "insufficient");
    assert_eq!(judged(&[(60, 100, 50)]).name(), "fail");
    // The minute that is under way has not been counted completely.
    assert_eq!(judged(&[(59, 100, 50)]).name(), "insufficient");
}

#[test]
fn only_minutes_since_the_shift_count() {
    assert_eq!(judged(&[(600, 100, 50)]).name(), "fail");
    assert_eq!(judged(&[(601, 100, 50)]).name(), "insufficient");
}

#[test]
fn requests_that_are_too_recent_to_count_are_reported() {
    let (settled, recent) = ((300, 60, 0), (120, 70, 0));
    let message = judged(&[settled, recent]).message().to_owned();
    assert!(message.ends_with("; 100 are needed (70 more are too recent to count)"), "{message}");
    let message = judged(&[settled]).message().to_owned();
    assert!(message.ends_with("; 100 are needed"), "{message}");
}

#[test]
fn a_rollout_reads_counts_and_alarms_only_while_it_judges() {
    let (mut plan, mut record) = (plan(&[10, 100]), record(Phase::Bake));
    plan.judge.alarms = vec!["p99".to_owned()];
    facts(&mut record).shifted = Some(start());
    let phases = |plan: &Plan, record: &Record, reads: fn(Needs) -> bool| -> Vec<Phase> {
        let reads = |phase: &Phase| reads(needs(plan, &Record { phase: *phase, ..record.clone() }));
        ALL.into_iter().filter(reads).collect()
    };
    let judged = [Phase::Shift, Phase::Bake];
    let counts = |needs: Needs| needs.counts_since.is_some();
    assert_eq!(phases(&plan, &record, |needs| needs.alarms), judged);
    assert_eq!(phases(&plan, &record, counts), [Phase::Shift, Phase::Bake, Phase::Settle]);
    plan.judge = Default::default();
    assert_eq!(phases(&plan, &record, |needs| needs.alarms), []);
    // The old side's traffic must be seen to end, whatever is judged.
    assert_eq!(phases(&plan, &record, counts), [Phase::Settle]);

    let rolling = rolling();
    let replacing = needs(&rolling.plan, &rolling.record);
    assert_eq!(replacing.counts_since, Some(rolling.record.since));
    assert!(!replacing.proof && !replacing.alarms, "{replacing:?}");
    assert_eq!(phases(&plan, &record, |needs| needs.proof), [Phase::Verify]);
}

#[test]
fn an_unknown_state_of_an_alarm_is_no_evidence() {
    assert_eq!(AlarmState::parse("OK"), AlarmState::Ok);
    assert_eq!(AlarmState::parse("ALARM"), AlarmState::Alarm);
    assert_eq!(AlarmState::parse("INSUFFICIENT_DATA"), AlarmState::InsufficientData);
    assert_eq!(AlarmState::parse("MUTED"), AlarmState::InsufficientData);
}
