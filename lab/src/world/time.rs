//! Timestamp arithmetic that saturates instead of failing.

use std::time::Duration;

use jiff::Timestamp;

/// Returns the time `delay` after `at`.
pub fn later(at: Timestamp, delay: Duration) -> Timestamp {
    at.checked_add(delay).unwrap_or(Timestamp::MAX)
}

/// Returns the time from `from` to `to`; zero if `to` is earlier.
pub fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}
