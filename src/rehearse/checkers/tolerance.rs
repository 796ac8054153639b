//! How strictly the promises are read: what a seed's weather excuses, in numbers.

use std::time::Duration;

/// The bounds that a seed's faults widen. The default is for calm weather.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    /// How old a read's answer may be.
    pub staleness: Duration,
    /// How old a look at health may be when a weight is given on it. Claim and rules have a bound of
    /// their own, five seconds.
    pub look: Duration,
    /// For how long a service may answer nobody. A run has trouble then, and can do nothing about it.
    pub outage: Duration,
    /// How long it may take a run that is alive and holds the claim to react to what it can see.
    pub react: Duration,
    /// How long a broken version may bear weight while a run is there to judge it: the evidence has
    /// to be counted, and to arrive.
    pub judged: Duration,
    /// The share of errors, in tenths of a percent, from which on a version is broken.
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
