//! Request counts from the load balancer.

use std::ops::Add;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The requests in a period, and how many of them failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// All requests.
    pub requests: u64,
    /// Requests that a target answered with 5xx, or that failed because no connection could be made.
    pub errors: u64,
}

impl Counts {
    /// Returns the share of errors in `[0, 1]`; `None` without requests.
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

/// The counts of one target group by minute, as far as CloudWatch has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetGroupCounts {
    /// The start and counts of each minute that has a `RequestCount`, in order. A missing minute is not
    /// evidence of zero requests: CloudWatch may not have it yet (AWS-documented: an empty group publishes
    /// nothing).
    pub minutes: Vec<(Timestamp, Counts)>,
}

impl TargetGroupCounts {
    /// Sums the minutes that lie entirely within `[from, until)`.
    pub fn within(&self, from: Timestamp, until: Timestamp) -> Counts {
        let minute = jiff::SignedDuration::from_secs(60);
        self.minutes
            .iter()
            .filter(|(start, _)| *start >= from && *start + minute <= until)
            .fold(Counts::default(), |sum, (_, counts)| sum + *counts)
    }

    /// Returns the start of the newest minute with data.
    pub fn newest(&self) -> Option<Timestamp> {
        self.minutes.last().map(|(start, _)| *start)
    }
}
