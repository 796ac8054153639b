//! Arithmetic of instants that ends at the ends of time instead of failing.

use std::time::Duration;

use jiff::Timestamp;

/// `delay` after `at`.
pub fn later(at: Timestamp, delay: Duration) -> Timestamp {
    at.checked_add(delay).unwrap_or(Timestamp::MAX)
}

/// How long after `from` `to` is; zero if it is before.
pub fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}
