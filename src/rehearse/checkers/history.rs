//! Recent snapshots, in order of time.

use std::collections::VecDeque;
use std::time::Duration;

use cutover_lab::world::elapsed;
use jiff::Timestamp;

use super::snapshot::Snapshot;

/// How long snapshots are kept: longer than the age of any read that a change is checked against.
const KEPT: Duration = Duration::from_secs(1800);

/// Snapshots, each with the moment since when it held; never empty.
#[derive(Debug)]
pub(super) struct SnapshotHistory(VecDeque<(Timestamp, Snapshot)>);

impl SnapshotHistory {
    pub(super) fn new(at: Timestamp, truth: Snapshot) -> SnapshotHistory {
        SnapshotHistory(VecDeque::from([(at, truth)]))
    }

    /// Notes what holds since `at`, if it differs from the last snapshot.
    pub(super) fn note(&mut self, at: Timestamp, truth: &Snapshot) {
        if self.0.back().is_some_and(|(_, last)| last == truth) {
            return;
        }
        self.0.push_back((at, truth.clone()));
        // The newest of the expired snapshots still held within the kept time.
        while self.0.get(1).is_some_and(|(since, _)| elapsed(*since, at) > KEPT) {
            self.0.pop_front();
        }
    }

    /// Returns every snapshot that held at some moment from `from` to now, newest first.
    pub(super) fn since(&self, from: Timestamp) -> impl Iterator<Item = &Snapshot> {
        let begun = self.0.iter().rposition(|(since, _)| *since <= from).unwrap_or(0);
        self.0.range(begun..).rev().map(|(_, truth)| truth)
    }
}
