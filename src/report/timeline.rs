//! The milestones of a run, each noted once.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What a summary says about the course of a run, in order.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// The last milestone about each thing.
    passed: BTreeMap<String, String>,
    entries: Vec<(Timestamp, String)>,
}

impl Timeline {
    /// Notes a milestone, unless it is the last one about the same thing.
    pub(super) fn note(&mut self, at: Timestamp, about: &str, milestone: String) {
        if self.passed.insert(about.to_owned(), milestone.clone()).as_ref() != Some(&milestone) {
            self.entries.push((at, milestone));
        }
    }

    /// When and what, oldest first.
    pub(super) fn entries(&self) -> &[(Timestamp, String)] {
        &self.entries
    }
}
