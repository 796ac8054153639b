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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_errors_is_of_all_requests() {
        let share = |requests, errors| Counts { requests, errors }.error_share();
        assert_eq!(share(8, 2), Some(0.25));
        assert_eq!(share(1, 0), Some(0.0));
        assert_eq!(share(0, 0), None);
    }

    #[test]
    fn only_whole_minutes_are_summed() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let minute = |seconds, requests| (at(seconds), Counts { requests, errors: 1 });
        let counts =
            TargetGroupCounts { minutes: vec![minute(60, 1), minute(120, 10), minute(180, 100)] };
        let within = |from, until| counts.within(at(from), at(until)).requests;
        assert_eq!(within(60, 240), 111);
        assert_eq!(within(61, 240), 110);
        assert_eq!(within(60, 239), 11);
        assert_eq!(within(121, 179), 0);
        assert_eq!(counts.within(at(60), at(240)).errors, 3);
    }
}
