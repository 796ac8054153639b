//! Is the new side worse? Counts in, verdict out. Pure.
//!
//! A simple limit on the share of 5xx answers today; a comparison of both sides by a sequential
//! test has its place here.

use serde::Serialize;

use crate::model::Counts;

/// When the new side counts as worse.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Limits {
    /// The limit on errors, if one is configured.
    pub errors: Option<ErrorLimit>,
    /// CloudWatch alarms that must not be in ALARM.
    pub alarms: Vec<String>,
}

/// A limit on the share of 5xx answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ErrorLimit {
    /// The largest acceptable share, in `[0, 1]`.
    pub share: f64,
    /// Fewer requests than this are no evidence.
    pub min_requests: u64,
}

/// What the evidence says.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Good enough to go on.
    Pass(String),
    /// Worse: take back.
    Fail(String),
    /// Not enough evidence yet: hold.
    Insufficient(String),
}

impl Verdict {
    /// The word used in events.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Pass(_) => "pass",
            Verdict::Fail(_) => "fail",
            Verdict::Insufficient(_) => "not enough evidence",
        }
    }

    /// The reasoning in one line.
    pub fn message(&self) -> &str {
        match self {
            Verdict::Pass(m) | Verdict::Fail(m) | Verdict::Insufficient(m) => m,
        }
    }
}

/// Judges the new side's counts against the limit. Errors beyond the limit fail as soon as they
/// could not be made good by the requests still missing to the minimum, so that a broken version
/// on a quiet service does not have to break many more.
pub fn judge(limit: &ErrorLimit, counts: Counts) -> Verdict {
    let allowed = limit.share * counts.requests.max(limit.min_requests) as f64;
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let told = match counts.error_share() {
        None => "no request counts yet".to_owned(),
        Some(share) => format!(
            "{} of {} requests failed ({}), the limit is {}",
            counts.errors,
            counts.requests,
            percent(share),
            percent(limit.share),
        ),
    };
    if counts.errors as f64 > allowed {
        Verdict::Fail(told)
    } else if counts.requests < limit.min_requests {
        Verdict::Insufficient(format!("{told}; {} are needed", limit.min_requests))
    } else {
        Verdict::Pass(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(requests: u64, errors: u64) -> &'static str {
        judge(&ErrorLimit { share: 0.01, min_requests: 500 }, Counts { requests, errors }).name()
    }

    #[test]
    fn limits_hold() {
        assert_eq!(verdict(500, 5), "pass");
        assert_eq!(verdict(500, 6), "fail");
        assert_eq!(verdict(499, 0), "not enough evidence");
        assert_eq!(verdict(0, 0), "not enough evidence");
    }

    #[test]
    fn errors_that_cannot_be_made_good_fail_early() {
        assert_eq!(verdict(20, 5), "not enough evidence");
        assert_eq!(verdict(20, 6), "fail");
    }
}
