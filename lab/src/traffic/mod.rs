//! Simulated users: how many requests come, where the load balancer sends them, and how they end.
//!
//! Requests are not events: between two events nothing changes, so [`flow`] draws only how many of
//! each kind there were. Real requests, one at a time, go through [`answer`] and the same routing.

mod answer;
mod cohorts;
mod flow;
mod minutes;
pub mod program;
mod routing;
mod site;
#[cfg(test)]
mod tests;

pub use answer::answer;
pub use flow::flow;
pub use minutes::{GroupMinute, Minute, Spread};

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::world::{Rng, World};

/// The name under which [`State::totals`] counts what no program answered: failures of the load
/// balancer itself, and its fixed answers.
pub const NO_VERSION: &str = "none";

/// What the traffic remembers.
#[derive(Debug, Clone)]
pub struct State {
    /// Requests a second to every active load balancer.
    pub rate: f64,
    /// Chance of its own, so that what users do never changes what the cloud does.
    rng: Rng,
    cohorts: cohorts::Cohorts,
    totals: BTreeMap<String, Tally>,
    minutes: BTreeMap<Timestamp, Minute>,
}

/// How requests ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answered with a status below 400 (a program's own 404 counts here too: it did answer).
    pub served: u64,
    /// Answered with an error, or not at all.
    pub failed: u64,
}

impl State {
    /// No traffic yet.
    pub fn new(seed: u64) -> State {
        State {
            rate: 0.0,
            rng: Rng::new(seed.rotate_left(32) ^ 0x7472_6166_6669_6300),
            cohorts: cohorts::Cohorts::default(),
            totals: BTreeMap::new(),
            minutes: BTreeMap::new(),
        }
    }

    /// The truth: what users got since the beginning, by the version that answered.
    pub fn totals(&self) -> &BTreeMap<String, Tally> {
        &self.totals
    }

    /// The truth by minute, as CloudWatch will tell it later. Minutes without a load balancer that
    /// could take traffic are absent.
    pub fn minutes(&self) -> &BTreeMap<Timestamp, Minute> {
        &self.minutes
    }

    fn count(&mut self, version: &str, served: u64, failed: u64) {
        if served + failed == 0 {
            return;
        }
        match self.totals.get_mut(version) {
            Some(tally) => {
                tally.served += served;
                tally.failed += failed;
            }
            None => {
                self.totals.insert(version.to_owned(), Tally { served, failed });
            }
        }
    }
}

/// What happens by itself here: nothing yet; a changing rate will.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {}

/// Lets `event` happen.
pub fn happen(_world: &mut World, event: &Event) {
    match *event {}
}
