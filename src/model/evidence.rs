//! What the load balancer counted.

use std::ops::Add;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Requests over some time and how many of them the targets answered with 5xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// All requests.
    pub requests: u64,
    /// Those answered with 5xx by a target, or not answered because no connection could be made.
    pub errors: u64,
}

impl Counts {
    /// The share of errors in `[0, 1]`; `None` without a request.
    pub fn error_share(self) -> Option<f64> {
        (self.requests > 0).then(|| self.errors as f64 / self.requests as f64)
    }
}

impl Add for Counts {
    type Output = Counts;
    fn add(self, other: Counts) -> Counts {
        Counts { requests: self.requests + other.requests, errors: self.errors + other.errors }
    }
}

/// One target group's counts by minute, as CloudWatch has them so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetGroupCounts {
    /// The start of each minute that has a `RequestCount`, in order. A minute without one is no
    /// evidence: CloudWatch may not have it yet (AWS-documented: an empty group publishes nothing).
    pub minutes: Vec<(Timestamp, Counts)>,
}

impl TargetGroupCounts {
    /// The sum over the minutes that lie wholly within `[from, until)`.
    pub fn within(&self, from: Timestamp, until: Timestamp) -> Counts {
        let minute = jiff::SignedDuration::from_secs(60);
        self.minutes
            .iter()
            .filter(|(start, _)| *start >= from && *start + minute <= until)
            .fold(Counts::default(), |sum, (_, counts)| sum + *counts)
    }

    /// The start of the newest minute with data.
    pub fn newest(&self) -> Option<Timestamp> {
        self.minutes.last().map(|(start, _)| *start)
    }
}
