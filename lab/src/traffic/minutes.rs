//! What is counted a minute: the raw material of CloudWatch's metrics.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The minute that an instant is in.
pub(super) fn minute_of(at: Timestamp) -> Timestamp {
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(60)).unwrap_or(at)
}

/// The counts of one minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Minute {
    /// By load balancer and target group, each as CloudWatch's dimension has it
    /// (`app/<name>/<id>`, `targetgroup/<name>/<id>`). An empty or unused group is absent.
    pub groups: BTreeMap<(String, String), GroupMinute>,
    /// By load balancer and status: answers that the load balancer itself had to give.
    pub refused: BTreeMap<(String, u16), u64>,
}

/// The counts of one minute of one target group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupMinute {
    /// Requests that a target was chosen for.
    pub requests: u64,
    /// Targets' answers by the first digit of their status.
    pub answers: BTreeMap<u16, u64>,
    /// Requests whose target didn't take the connection.
    pub connection_errors: u64,
    /// Answers by their time, in milliseconds to the response headers.
    pub latency: BTreeMap<u64, u64>,
    /// Healthy targets.
    pub healthy: Spread,
    /// Unhealthy targets; those in their initial checks are neither.
    pub unhealthy: Spread,
}

/// The range of a number that changed during a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spread {
    /// The bounds; none before the first look.
    pub range: Option<(u64, u64)>,
}

impl Spread {
    /// Widens the range to hold `value`.
    pub fn see(&mut self, value: u64) {
        let (low, high) = self.range.unwrap_or((value, value));
        self.range = Some((low.min(value), high.max(value)));
    }
}
