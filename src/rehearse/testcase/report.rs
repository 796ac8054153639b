//! What a run reported, and how it ended.

use std::fmt;

use cutover_rollout::model::{Event, Outcome, Status, TimedEvent};

/// A run's events and outcome; no outcome if it died.
#[derive(Debug)]
pub(in crate::rehearse) struct RunReport {
    pub(in crate::rehearse) outcome: Option<Outcome>,
    pub(in crate::rehearse) events: Vec<TimedEvent>,
}

impl RunReport {
    /// Asserts that it ended like this.
    #[track_caller]
    pub(in crate::rehearse) fn ended(&self, ending: Status) -> &RunReport {
        assert_eq!(self.ending(), Some(ending), "{self}");
        self
    }

    pub(in crate::rehearse) fn ending(&self) -> Option<Status> {
        self.outcome.as_ref().map(|outcome| outcome.outcome)
    }

    /// Asserts that some event, or the outcome's message or hint, contains these words.
    #[track_caller]
    pub(in crate::rehearse) fn assert_says(&self, words: &str) -> &RunReport {
        assert!(self.has(words), "nothing says `{words}`:\n{self}");
        self
    }

    /// Asserts that nothing contains these words.
    #[track_caller]
    pub(in crate::rehearse) fn assert_never_says(&self, words: &str) -> &RunReport {
        assert!(!self.has(words), "something says `{words}`:\n{self}");
        self
    }

    fn has(&self, words: &str) -> bool {
        let outcome = self.outcome.iter().flat_map(|o| [Some(&o.message), o.hint.as_ref()]);
        outcome.flatten().any(|text| text.contains(words))
            || self.events.iter().any(|reported| text(&reported.event).contains(words))
    }
}

/// Returns an event as JSON.
fn text(event: &Event) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

/// Shows the last events and the outcome, for a failed test.
impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unseen = self.events.len().saturating_sub(60);
        for reported in &self.events[unseen..] {
            writeln!(f, "{} {}", reported.time, text(&reported.event))?;
        }
        writeln!(f, "{:#?}", self.outcome)
    }
}
