//! Counts per minute: the raw data of CloudWatch's metrics.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Returns the minute that contains a timestamp.
pub(super) fn minute_of(at: Timestamp) -> Timestamp {
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(60)).unwrap_or(at)
}

/// The counts of one minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Minute {
    /// By load balancer and target group, each named as in CloudWatch's dimensions (`app/<name>/<id>`,
    /// `targetgroup/<name>/<id>`). An empty or unused group is absent.
    pub groups: BTreeMap<(String, String), GroupMinute>,
    /// Responses that the load balancer gave itself, by load balancer and status.
    pub balancer_responses: BTreeMap<(String, u16), u64>,
}

/// The counts of one target group in one minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupMinute {
    /// Requests for which a target was chosen.
    pub requests: u64,
    /// Responses of targets, by the first digit of their status.
    pub answers: BTreeMap<u16, u64>,
    /// Requests whose target did not accept the connection.
    pub connection_errors: u64,
    /// Responses by the milliseconds until their headers.
    pub latency: BTreeMap<u64, u64>,
    /// Healthy targets.
    pub healthy: MinMax,
    /// Unhealthy targets. Targets in their initial checks are neither.
    pub unhealthy: MinMax,
}

/// The range of a number during a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MinMax {
    /// The bounds; `None` before the first value.
    pub range: Option<(u64, u64)>,
}

impl MinMax {
    /// Widens the range to include `value`.
    pub fn include(&mut self, value: u64) {
        let (low, high) = self.range.unwrap_or((value, value));
        self.range = Some((low.min(value), high.max(value)));
    }
}
