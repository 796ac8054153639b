//! Judges what CloudWatch counted, and allows for its delay.

use jiff::{SignedDuration, Timestamp};

use super::{AlarmState, Observation, Plan};
use crate::judge::{ErrorLimit, Verdict, judge};
use crate::model::Counts;

/// CloudWatch may have a minute's requests before its errors, so counts younger than this can fail a version, but not
/// pass it. The delay is undocumented; a minute was readable one to two minutes after its end (recorded once).
pub(super) const METRIC_LAG: SignedDuration = SignedDuration::from_secs(120);

/// Judges a target group by the whole minutes since `since`. Also returns the counts that decided.
pub(super) fn judge_since(
    observation: &Observation,
    target_group: &str,
    limit: &ErrorLimit,
    since: Timestamp,
) -> (Counts, Verdict) {
    // Before the first whole minute nothing is read. Zero requests are then not enough evidence for a verdict.
    let all =
        observation.counts.get("request counts").ok().and_then(|counts| counts.get(target_group));
    let counts = |until: Timestamp| all.map(|c| c.within(since, until)).unwrap_or_default();
    let all = counts(observation.now);
    let verdict = judge(limit, all);
    if matches!(verdict, Verdict::Fail(_)) {
        return (all, verdict);
    }
    let settled = counts(observation.now.saturating_sub(METRIC_LAG).unwrap_or(since));
    let verdict = match judge(limit, settled) {
        Verdict::Insufficient(why) if all.requests > settled.requests => Verdict::Insufficient(
            format!("{why} ({} more are too recent to count)", all.requests - settled.requests),
        ),
        verdict => verdict,
    };
    (settled, verdict)
}

/// Judges by the configured alarms alone; `None` if all of them are OK.
pub(super) fn judge_alarms(plan: &Plan, observation: &Observation) -> Option<Verdict> {
    if plan.judge.alarms.is_empty() {
        return None;
    }
    let alarms = match observation.alarms.get("the alarms") {
        Ok(alarms) => alarms,
        Err(why) => return Some(Verdict::Insufficient(why.to_string())),
    };
    let state = |name: &String| alarms.get(name).copied();
    let names = || plan.judge.alarms.iter();
    if let Some(name) = names().find(|name| state(name) == Some(AlarmState::Alarm)) {
        return Some(Verdict::Fail(format!("the alarm `{name}` is in ALARM state")));
    }
    names().find_map(|name| match state(name) {
        Some(AlarmState::Ok | AlarmState::Alarm) => None,
        Some(AlarmState::InsufficientData) => {
            Some(Verdict::Insufficient(format!("the alarm `{name}` has insufficient data")))
        }
        None => Some(Verdict::Insufficient(format!("the alarm `{name}` no longer exists"))),
    })
}
