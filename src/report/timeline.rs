//! The milestones of a run, without repetitions.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The milestones of a run, in order.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// The last milestone about each subject.
    passed: BTreeMap<String, String>,
    entries: Vec<(Timestamp, String)>,
}

impl Timeline {
    /// Adds a milestone, unless it equals the last one about the same subject.
    pub(super) fn note(&mut self, at: Timestamp, about: &str, milestone: String) {
        if self.passed.insert(about.to_owned(), milestone.clone()).as_ref() != Some(&milestone) {
            self.entries.push((at, milestone));
        }
    }

    /// Returns the times and milestones, oldest first.
    pub(super) fn entries(&self) -> &[(Timestamp, String)] {
        &self.entries
    }
}
