//! What held when: the truth of the last while, in the order of time.

use std::collections::VecDeque;
use std::time::Duration;

use cutover_lab::world::elapsed;
use jiff::Timestamp;

use super::truth::Truth;

/// Longer than any reading is held against what it led to.
const KEPT: Duration = Duration::from_secs(1800);

/// Truths, each with the moment since when it held. There is always one.
#[derive(Debug)]
pub(super) struct Past(VecDeque<(Timestamp, Truth)>);

impl Past {
    pub(super) fn new(at: Timestamp, truth: Truth) -> Past {
        Past(VecDeque::from([(at, truth)]))
    }

    /// Notes what holds since `at`. The same as before is no news.
    pub(super) fn note(&mut self, at: Timestamp, truth: &Truth) {
        if self.0.back().is_some_and(|(_, last)| last == truth) {
            return;
        }
        self.0.push_back((at, truth.clone()));
        // The last of those that are old enough still held afterwards.
        while self.0.get(1).is_some_and(|(since, _)| elapsed(*since, at) > KEPT) {
            self.0.pop_front();
        }
    }

    /// Everything that held at some moment from `from` to now, the newest first.
    pub(super) fn since(&self, from: Timestamp) -> impl Iterator<Item = &Truth> {
        let begun = self.0.iter().rposition(|(since, _)| *since <= from).unwrap_or(0);
        self.0.range(begun..).rev().map(|(_, truth)| truth)
    }
}
