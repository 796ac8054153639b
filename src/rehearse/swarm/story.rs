//! A seed's story: everything that is going to happen, as data. What is not written here is drawn by
//! the lab from the same seed, so that a story told twice ends alike.

use std::time::Duration;

use cutover_lab::scenario::Scenario;
use serde::Serialize;

use crate::rehearse::process::Verb;

/// A fleet, a configuration, what goes wrong, and who runs when.
#[derive(Debug, Clone, Serialize)]
pub struct Story {
    /// What it was drawn from.
    pub seed: u64,
    /// Every run's `cutover.yaml`.
    pub configuration: String,
    /// The account, its users, and what goes wrong in it.
    pub scenario: Scenario,
    /// How far nodes of the load balancer may be behind the weights.
    pub propagation: Duration,
    /// Who runs, by the time of beginning.
    pub runs: Vec<Run>,
    /// From here on, seconds from the beginning, nothing goes wrong any more.
    pub calm: u64,
}

/// A process that is going to run.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// When it begins, in seconds from the beginning.
    pub begins: u64,
    /// What it does.
    pub verb: Verb,
    /// How many seconds its clock is ahead.
    pub skew: i64,
    /// What cuts it short.
    pub cut: Option<Cut>,
}

/// What cuts a process short.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// It is killed so long after its beginning.
    Killed(Duration),
    /// It is killed so long after it sent its nth request, which arrives all the same.
    KilledAfterCall(u64, Duration),
    /// It is asked to stop so long after its beginning.
    Interrupted(Duration),
}
