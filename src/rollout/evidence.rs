//! Judging what CloudWatch counted, with its delay in mind.

use jiff::{SignedDuration, Timestamp};

use super::Seen;
use crate::judge::{ErrorLimit, Verdict, judge};
use crate::model::Counts;

/// CloudWatch may have a minute's requests before its errors: what is younger than this may speak
/// against a version, but not for it. The delay is undocumented; a minute was seen readable one to
/// two minutes after its end (recorded once).
pub(super) const LAG: SignedDuration = SignedDuration::from_secs(120);

/// Judges a target group by the whole minutes since `since`; gives the counts that decided.
pub(super) fn judge_since(
    seen: &Seen,
    target_group: &str,
    limit: &ErrorLimit,
    since: Timestamp,
) -> (Counts, Verdict) {
    let counts = |until: Timestamp| {
        seen.counts.get(target_group).map(|c| c.within(since, until)).unwrap_or_default()
    };
    let all = counts(seen.now);
    let verdict = judge(limit, all);
    if matches!(verdict, Verdict::Fail(_)) {
        return (all, verdict);
    }
    let settled = counts(seen.now.saturating_sub(LAG).unwrap_or(since));
    let verdict = match judge(limit, settled) {
        Verdict::Insufficient(why) if all.requests > settled.requests => Verdict::Insufficient(
            format!("{why} ({} more are too young to count)", all.requests - settled.requests),
        ),
        verdict => verdict,
    };
    (settled, verdict)
}
