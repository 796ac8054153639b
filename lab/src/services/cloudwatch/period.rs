//! Periods of metrics.

use jiff::Timestamp;

/// The resolution of all AWS metrics, in seconds.
pub(super) const MINUTE: i64 = 60;

/// Returns the start of the period that contains `at`.
pub(super) fn floor(at: Timestamp, period: i64) -> Timestamp {
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(period.max(1))).unwrap_or(at)
}
