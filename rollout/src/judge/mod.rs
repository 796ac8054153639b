//! Judges the new version: counts in, verdict out. Pure.
//!
//! Today this is a limit on the share of 5xx responses. A sequential test that compares both sides
//! would belong here.

use serde::Serialize;

use crate::model::Counts;

/// The conditions under which the new version fails.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Limits {
    /// The limit on errors, if one is configured.
    pub errors: Option<ErrorLimit>,
    /// CloudWatch alarms that must not be in ALARM.
    pub alarms: Vec<String>,
}

/// A limit on the share of 5xx responses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ErrorLimit {
    /// The largest acceptable share, in `[0, 1]`.
    pub share: f64,
    /// The number of requests needed for a verdict.
    pub min_requests: u64,
}

/// The result of judging the evidence.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The version may receive more traffic.
    Pass(String),
    /// The version is bad: roll back.
    Fail(String),
    /// There is not enough evidence yet: wait.
    Insufficient(String),
}

impl Verdict {
    /// Returns the word used in events.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Pass(_) => "pass",
            Verdict::Fail(_) => "fail",
            Verdict::Insufficient(_) => "insufficient",
        }
    }

    /// Returns the reasoning in one line.
    pub fn message(&self) -> &str {
        match self {
            Verdict::Pass(m) | Verdict::Fail(m) | Verdict::Insufficient(m) => m,
        }
    }
}

/// Judges the new version's counts against the limit. Fails as soon as the errors would exceed the limit
/// even if all requests still missing to the minimum succeeded, so that a broken version of a service
/// with little traffic fails early.
pub fn judge(limit: &ErrorLimit, counts: Counts) -> Verdict {
    let allowed = limit.share * counts.requests.max(limit.min_requests) as f64;
    let percent = |share: f64| format!("{:.2}%", share * 100.0);
    let reason = match counts.error_share() {
        None => "no requests counted yet".to_owned(),
        Some(share) => format!(
            "{} of {} requests failed ({}); the limit is {}",
            counts.errors,
            counts.requests,
            percent(share),
            percent(limit.share),
        ),
    };
    if counts.errors as f64 > allowed {
        Verdict::Fail(reason)
    } else if counts.requests < limit.min_requests {
        Verdict::Insufficient(format!("{reason}; {} are needed", limit.min_requests))
    } else {
        Verdict::Pass(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(requests: u64, errors: u64) -> &'static str {
        judge(&ErrorLimit { share: 0.01, min_requests: 500 }, Counts { requests, errors }).name()
    }

    #[test]
    fn errors_beyond_the_limit_fail() {
        assert_eq!(verdict(500, 5), "pass");
        assert_eq!(verdict(500, 6), "fail");
        assert_eq!(verdict(499, 0), "insufficient");
        assert_eq!(verdict(0, 0), "insufficient");
    }

    #[test]
    fn errors_beyond_the_limit_fail_before_the_minimum() {
        assert_eq!(verdict(20, 5), "insufficient");
        assert_eq!(verdict(20, 6), "fail");
    }

    #[test]
    fn the_reasoning_names_the_counts_and_the_limit() {
        let limit = ErrorLimit { share: 0.01, min_requests: 500 };
        let message =
            |requests, errors| judge(&limit, Counts { requests, errors }).message().to_owned();
        assert_eq!(message(500, 6), "6 of 500 requests failed (1.20%); the limit is 1.00%");
        assert_eq!(message(0, 0), "no requests counted yet; 500 are needed");
    }
}
