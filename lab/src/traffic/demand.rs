//! How many users come, over the day and in bursts, and how much load an instance can handle.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::faults::values;
use crate::world::time::{elapsed, later};

/// How often the rate follows the daily curve.
const DAILY: Duration = Duration::from_secs(60);
/// How often the rate is updated while a burst rises or falls.
const STEEP: Duration = Duration::from_secs(1);

/// The course of the request rate: a factor by which the scenario's rate is multiplied.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Demand {
    /// The daily curve; `None` where the rate is the same all day.
    pub daily: Option<Daily>,
    /// Bursts on top of it.
    pub bursts: Vec<Burst>,
    /// Requests per second that an instance can handle if its image has no label `lab.capacity`;
    /// unlimited if absent.
    #[serde(deserialize_with = "values::optional_amount")]
    pub capacity: Option<f64>,
}

/// A daily curve: a cosine with the scenario's rate at its peak.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// The hour of the peak in UTC, from 0 to 24.
    #[serde(deserialize_with = "values::amount")]
    pub peak_hour: f64,
    /// The share of the peak, from 0 to 1, that remains twelve hours later.
    #[serde(deserialize_with = "values::amount")]
    pub trough: f64,
}

/// A burst of requests, as after breaking news.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// When it begins, in seconds after the start of the scenario.
    pub at: u64,
    /// The factor on the request rate at its height.
    #[serde(deserialize_with = "values::amount")]
    pub factor: f64,
    /// The seconds until its height, and from the end of its height to its end.
    #[serde(default = "soon")]
    pub within: u64,
    /// The seconds at its height.
    pub lasts: u64,
}

fn soon() -> u64 {
    5
}

impl Demand {
    /// Returns whether the rate never changes by itself.
    pub(super) fn is_constant(&self) -> bool {
        self.daily.is_none() && self.bursts.is_empty()
    }

    /// Returns the factor at `now`.
    pub(super) fn factor(&self, began: Timestamp, now: Timestamp) -> f64 {
        let bursts = self.bursts.iter().map(|burst| burst.factor(began, now));
        self.daily.map_or(1.0, |daily| daily.factor(now)) * bursts.product::<f64>()
    }

    /// Returns when the factor changes next: in a second while a burst rises or falls, in a minute with
    /// a daily curve, else when the next burst begins or ends.
    pub(super) fn next(&self, began: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let steep = self.bursts.iter().any(|burst| burst.is_steep(began, now));
        let slow = self.daily.map(|_| later(now, DAILY));
        let edges = self.bursts.iter().flat_map(|burst| burst.edges(began));
        let edge = edges.filter(|edge| *edge > now).min();
        let step = steep.then(|| later(now, STEEP));
        [slow, edge, step].into_iter().flatten().min()
    }
}

impl Daily {
    pub(super) fn factor(self, now: Timestamp) -> f64 {
        let hour = now.as_second().rem_euclid(86_400) as f64 / 3600.0;
        let turn = (hour - self.peak_hour) / 24.0 * std::f64::consts::TAU;
        self.trough + (1.0 - self.trough) * (0.5 + 0.5 * turn.cos())
    }
}

impl Burst {
    /// Returns its start, the start and the end of its height, and its end.
    fn edges(self, began: Timestamp) -> [Timestamp; 4] {
        let after = |seconds| later(began, Duration::from_secs(seconds));
        let Burst { at, within, lasts, .. } = self;
        let high = at.saturating_add(within);
        let falls = high.saturating_add(lasts);
        [at, high, falls, falls.saturating_add(within)].map(after)
    }

    pub(super) fn factor(self, began: Timestamp, now: Timestamp) -> f64 {
        let [begins, high, falls, ends] = self.edges(began);
        let share = |from, to| {
            let whole = elapsed(from, to).as_secs_f64();
            if whole > 0.0 { elapsed(from, now).as_secs_f64() / whole } else { 1.0 }
        };
        let height = match now {
            _ if now < begins || now >= ends => 0.0,
            _ if now < high => share(begins, high),
            _ if now < falls => 1.0,
            _ => 1.0 - share(falls, ends),
        };
        1.0 + (self.factor - 1.0) * height
    }

    fn is_steep(self, began: Timestamp, now: Timestamp) -> bool {
        let [begins, high, falls, ends] = self.edges(began);
        (begins..high).contains(&now) || (falls..ends).contains(&now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_day_has_a_peak_and_a_trough() {
        let daily = Daily { peak_hour: 20.0, trough: 0.2 };
        let factor = |text| (daily.factor(at(text)) * 100.0).round();
        assert_eq!(factor("2026-01-05T20:00:00Z"), 100.0);
        assert_eq!(factor("2026-01-05T08:00:00Z"), 20.0);
        assert_eq!(factor("2026-01-05T02:00:00Z"), 60.0);
    }

    #[test]
    fn a_burst_rises_stays_and_falls() {
        let burst = Burst { at: 60, factor: 100.0, within: 10, lasts: 30 };
        let began = at("2026-01-05T09:00:00Z");
        let demand = Demand { bursts: vec![burst], ..Demand::default() };
        let factor = |seconds| demand.factor(began, later(began, Duration::from_secs(seconds)));
        assert_eq!([0, 60, 65, 70, 99].map(factor), [1.0, 1.0, 50.5, 100.0, 100.0]);
        assert_eq!([100, 105, 110, 500].map(factor), [100.0, 50.5, 1.0, 1.0]);
        let next = |seconds| {
            let next = demand.next(began, later(began, Duration::from_secs(seconds)));
            next.map(|at| elapsed(began, at).as_secs())
        };
        assert_eq!([0, 60, 61, 70, 100].map(next), [60, 61, 62, 100, 101].map(Some));
        assert_eq!(next(110), None);
    }
}
