//! Counts per minute: the raw data of CloudWatch's metrics.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::State;

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

impl State {
    /// Counts responses of targets, by status and by milliseconds.
    pub(super) fn count_responses(
        &mut self,
        minute: Timestamp,
        (balancer, group): (&str, &str),
        statuses: &[(u16, u64)],
        times: &[(u64, u64)],
    ) {
        let counts = self.group_minute(minute, balancer, group);
        for (status, number) in statuses.iter().filter(|(_, number)| *number > 0) {
            counts.requests += number;
            *counts.answers.entry(status / 100).or_default() += number;
        }
        for (milliseconds, number) in times {
            *counts.latency.entry(*milliseconds).or_default() += number;
        }
    }

    /// Counts requests whose target did not answer.
    pub(super) fn count_connection_errors(
        &mut self,
        minute: Timestamp,
        (balancer, group): (&str, &str),
        number: u64,
    ) {
        let counts = self.group_minute(minute, balancer, group);
        counts.requests += number;
        counts.connection_errors += number;
        self.refused(minute, balancer, 502, number);
    }

    /// Counts requests that the load balancer answered itself.
    pub(super) fn refused(&mut self, minute: Timestamp, balancer: &str, status: u16, number: u64) {
        let refused = &mut self.minutes.entry(minute).or_default().balancer_responses;
        *refused.entry((balancer.to_owned(), status)).or_default() += number;
    }

    fn group_minute(&mut self, minute: Timestamp, balancer: &str, group: &str) -> &mut GroupMinute {
        let key = (balancer.to_owned(), group.to_owned());
        self.minutes.entry(minute).or_default().groups.entry(key).or_default()
    }
}
