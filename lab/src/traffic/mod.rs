//! Simulated users: how many requests come, where the load balancer sends them, and how they end.
//!
//! Requests are not events: between two events nothing changes, so [`flow`] draws only how many of
//! each kind there were. Real requests, one at a time, go through [`answer`] and the same routing.

mod answer;
mod cohorts;
mod demand;
mod flow;
mod minutes;
mod nginx;
pub mod program;
mod routing;
mod site;
mod strain;
#[cfg(test)]
mod tests;

pub use answer::answer;
pub use demand::{Burst, Daily, Demand, follow};
pub use flow::flow;
pub use minutes::{GroupMinute, Minute, Spread};
pub(crate) use site::health;
pub use strain::capacity;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::world::{Rng, World};

/// The name under which [`State::totals`] counts what no program answered: failures of the load
/// balancer itself, and its fixed answers.
pub const NO_VERSION: &str = "none";

/// Requests a second beyond which nobody counts: bursts multiply.
const MOST: f64 = 1e9;

/// What the traffic remembers.
#[derive(Debug, Clone)]
pub struct State {
    /// Requests a second to every active load balancer, before the day's course and bursts.
    pub rate: f64,
    demand: Demand,
    /// What the demand makes of the rate now.
    factor: f64,
    /// By instance, its requests by what it can bear, where anything bounds that.
    strain: BTreeMap<String, f64>,
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
            demand: Demand::default(),
            factor: 1.0,
            strain: BTreeMap::new(),
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

    /// Requests a second that come now to every active load balancer.
    pub fn rate_now(&self) -> f64 {
        (self.rate * self.factor).min(MOST)
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

/// What happens by itself here.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The rate follows the demand.
    Turn,
}

/// Lets `event` happen.
pub fn happen(world: &mut World, event: &Event) {
    match event {
        Event::Turn => demand::turn(world),
    }
}
