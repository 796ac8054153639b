//! The state of the simulated traffic, and its events.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::traffic::cohorts::Cohorts;
use crate::traffic::demand::Demand;
use crate::traffic::minutes::{GroupMinute, Minute};
use crate::world::rng::Rng;

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
    pub(super) demand: Demand,
    /// The current factor of the demand.
    pub(super) factor: f64,
    /// The load of each instance: its requests relative to its capacity, where anything limits that.
    pub(super) load: BTreeMap<String, f64>,
    /// A separate generator, so that what users do never changes what the cloud does.
    pub(super) rng: Rng,
    pub(super) cohorts: Cohorts,
    totals: BTreeMap<String, Tally>,
    pub(super) minutes: BTreeMap<Timestamp, Minute>,
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
            cohorts: Cohorts::default(),
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

    pub(super) fn count(&mut self, version: &str, served: u64, failed: u64) {
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

impl State {
    /// Counts responses of targets, by status and by milliseconds.
    pub(super) fn count_responses(
        &mut self,
        minute: Timestamp,
        (balancer, group): (&str, &str),
        statuses: &[(u16, u64)],
        times: &[(u64, u64)],
    ) {
        let counts = self.group_minute(minute, balancer, group);
        for (status, number) in statuses.iter().filter(|(_, number)| *number > 0) {
            counts.requests += number;
            *counts.answers.entry(status / 100).or_default() += number;
        }
        for (milliseconds, number) in times {
            *counts.latency.entry(*milliseconds).or_default() += number;
        }
    }

    /// Counts requests whose target did not answer.
    pub(super) fn count_connection_errors(
        &mut self,
        minute: Timestamp,
        (balancer, group): (&str, &str),
        number: u64,
    ) {
        let counts = self.group_minute(minute, balancer, group);
        counts.requests += number;
        counts.connection_errors += number;
        self.refused(minute, balancer, 502, number);
    }

    /// Counts requests that the load balancer answered itself.
    pub(super) fn refused(&mut self, minute: Timestamp, balancer: &str, status: u16, number: u64) {
        let refused = &mut self.minutes.entry(minute).or_default().balancer_responses;
        *refused.entry((balancer.to_owned(), status)).or_default() += number;
    }

    fn group_minute(&mut self, minute: Timestamp, balancer: &str, group: &str) -> &mut GroupMinute {
        let key = (balancer.to_owned(), group.to_owned());
        self.minutes.entry(minute).or_default().groups.entry(key).or_default()
    }
}
