//! How strictly the promises are checked: what a seed's faults excuse, in numbers.

use std::time::Duration;

/// The bounds that a seed's faults widen. The default is for a world without faults.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    /// How old a read's answer may be.
    pub staleness: Duration,
    /// How old a read of health may be when a share is raised on it. The claim and the rules have a
    /// bound of their own, 5 s.
    pub look: Duration,
    /// How long a service may answer nobody. A run can do nothing about that.
    pub outage: Duration,
    /// How long a run that is alive and holds the claim may take to react to what it can read.
    pub react: Duration,
    /// How long a broken version may receive traffic while a run is there to judge it: the evidence
    /// has to be counted and published.
    pub judged: Duration,
    /// The error rate from which on a version counts as broken, in tenths of a percent.
    pub broken: u32,
}

impl Default for Tolerance {
    fn default() -> Tolerance {
        Tolerance {
            staleness: Duration::ZERO,
            look: Duration::from_secs(10),
            outage: Duration::ZERO,
            react: Duration::from_secs(30),
            judged: Duration::from_secs(480),
            broken: 50,
        }
    }
}
