//! What a run told, and how it ended.

use std::fmt;

use crate::model::{Ending, Event, Outcome, Stamped};

/// What a run told. Without an outcome where it died.
#[derive(Debug)]
pub(in crate::rehearse) struct Told {
    pub(in crate::rehearse) outcome: Option<Outcome>,
    pub(in crate::rehearse) events: Vec<Stamped>,
}

impl Told {
    /// That it ended like this.
    #[track_caller]
    pub(in crate::rehearse) fn ended(&self, ending: Ending) -> &Told {
        assert_eq!(self.ending(), Some(ending), "{self}");
        self
    }

    pub(in crate::rehearse) fn ending(&self) -> Option<Ending> {
        self.outcome.as_ref().map(|outcome| outcome.outcome)
    }

    /// That some event, or the outcome's message, says this.
    #[track_caller]
    pub(in crate::rehearse) fn says(&self, words: &str) -> &Told {
        assert!(self.has(words), "nothing says `{words}`:\n{self}");
        self
    }

    /// That nothing says this.
    #[track_caller]
    pub(in crate::rehearse) fn never_says(&self, words: &str) -> &Told {
        assert!(!self.has(words), "something says `{words}`:\n{self}");
        self
    }

    fn has(&self, words: &str) -> bool {
        let outcome = self.outcome.iter().flat_map(|o| [Some(&o.message), o.hint.as_ref()]);
        outcome.flatten().any(|text| text.contains(words))
            || self.events.iter().any(|told| text(&told.event).contains(words))
    }
}

/// What an event says, for people.
fn text(event: &Event) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

/// The last of what was told, for a test that failed.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unseen = self.events.len().saturating_sub(60);
        for told in &self.events[unseen..] {
            writeln!(f, "{} {}", told.time, text(&told.event))?;
        }
        writeln!(f, "{:#?}", self.outcome)
    }
}
