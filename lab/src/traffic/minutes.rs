//! What is counted a minute: the raw material of CloudWatch's metrics.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::State;

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

impl State {
    /// Counts answers of targets, by status and by milliseconds.
    pub(super) fn answered(
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

    /// Counts requests whose target didn't answer.
    pub(super) fn unanswered(
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
        let refused = &mut self.minutes.entry(minute).or_default().refused;
        *refused.entry((balancer.to_owned(), status)).or_default() += number;
    }

    fn group_minute(&mut self, minute: Timestamp, balancer: &str, group: &str) -> &mut GroupMinute {
        let key = (balancer.to_owned(), group.to_owned());
        self.minutes.entry(minute).or_default().groups.entry(key).or_default()
    }
}
