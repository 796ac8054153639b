//! A seed's test case: everything that is going to happen, as data. What is not in it is drawn by
//! the lab from the same seed, so that a test case always ends the same way.

use std::time::Duration;

use cutover_lab::scenario::Scenario;
use serde::Serialize;

use crate::rehearse::process::ProcessCommand;

/// A fleet, a configuration, what goes wrong, and who runs when.
#[derive(Debug, Clone, Serialize)]
pub struct SwarmCase {
    /// The seed that it was drawn from.
    pub seed: u64,
    /// The `cutover.yaml` of every run.
    pub configuration: String,
    /// The account, its users, and what goes wrong in it.
    pub scenario: Scenario,
    /// How far load balancer nodes may lag behind the weights.
    pub propagation: Duration,
    /// The processes, in order of their start.
    pub runs: Vec<Run>,
    /// Seconds from the start after which nothing goes wrong any more.
    pub calm: u64,
}

/// A process of a test case.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// When it starts, in seconds from the start of the test case.
    pub begins: u64,
    /// The command that it runs.
    pub verb: ProcessCommand,
    /// How many seconds its clock is ahead.
    pub skew: i64,
    /// What ends it early, if anything.
    pub cut: Option<EarlyEnd>,
}

/// What ends a process early.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyEnd {
    /// It is killed this long after its start.
    Killed(Duration),
    /// It is killed this long after it sent its nth request, which still arrives.
    KilledAfterCall(u64, Duration),
    /// It is asked to stop this long after its start.
    Interrupted(Duration),
}
