//! Simulated users: how many requests arrive, where the load balancer sends them, and how they end.
//!
//! Requests are not events: between two events nothing changes, so [`flow`] only draws how many of each
//! kind there were. Real requests go one at a time through [`answer`] and the same routing.

mod answer;
mod cohorts;
mod demand;
mod flow;
mod load;
mod minutes;
mod nginx;
pub mod program;
mod routing;
mod site;
#[cfg(test)]
mod tests;

pub use answer::answer;
pub use demand::{Burst, Daily, Demand, set_demand};
pub use flow::flow;
pub use load::capacity;
pub use minutes::{GroupMinute, MinMax, Minute};
pub(crate) use site::health;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::world::{Rng, World};

/// The key under which [`State::totals`] counts what no program answered: errors of the load balancer
/// itself, and its fixed responses.
pub const NO_VERSION: &str = "none";

/// The maximum rate in requests per second: the factors of bursts multiply.
const MAX_RATE: f64 = 1e9;

/// The state of the simulated traffic.
#[derive(Debug, Clone)]
pub struct State {
    /// Requests per second to every active load balancer, before the daily curve and bursts.
    pub rate: f64,
    demand: Demand,
    /// The current factor of the demand.
    factor: f64,
    /// The load of each instance: its requests relative to its capacity, where anything limits that.
    load: BTreeMap<String, f64>,
    /// A separate generator, so that what users do never changes what the cloud does.
    rng: Rng,
    cohorts: cohorts::Cohorts,
    totals: BTreeMap<String, Tally>,
    minutes: BTreeMap<Timestamp, Minute>,
}

/// Counts of requests by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answered with a status below 400. A program's own 404 counts, too: it did answer.
    pub served: u64,
    /// Answered with an error, or not at all.
    pub failed: u64,
}

impl State {
    /// Creates a state without traffic.
    pub fn new(seed: u64) -> State {
        State {
            rate: 0.0,
            demand: Demand::default(),
            factor: 1.0,
            load: BTreeMap::new(),
            rng: Rng::new(seed.rotate_left(32) ^ 0x7472_6166_6669_6300),
            cohorts: cohorts::Cohorts::default(),
            totals: BTreeMap::new(),
            minutes: BTreeMap::new(),
        }
    }

    /// Returns the truth: what users got since the start, by the version that answered.
    pub fn totals(&self) -> &BTreeMap<String, Tally> {
        &self.totals
    }

    /// Returns the current requests per second to every active load balancer.
    pub fn rate_now(&self) -> f64 {
        (self.rate * self.factor).min(MAX_RATE)
    }

    /// Returns the truth by minute, as CloudWatch will report it later. Minutes without a load balancer
    /// that could take traffic are absent.
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

/// An event of the simulated traffic.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The rate is updated to follow the demand.
    UpdateRate,
}

/// Runs `event`.
pub fn handle_event(world: &mut World, event: &Event) {
    match event {
        Event::UpdateRate => demand::update_rate(world),
    }
}
