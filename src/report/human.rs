//! A run as lines for people: what to tell, what not to tell again, and the summary.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::line::Line;
use super::offset::offset;
use super::timeline::Timeline;
use super::{Look, summary};
use crate::model::{Event, Stamped};

/// A notice that comes again and again is told so often.
const NOTICE_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// Turns events into lines, and remembers what the summary needs.
#[derive(Debug)]
pub struct Human {
    look: Look,
    start: Option<Timestamp>,
    /// The gist of the last line about each thing and when it was told, so that what hasn't
    /// changed isn't told again.
    told: BTreeMap<String, (String, Timestamp)>,
    timeline: Timeline,
}

impl Human {
    /// With nothing told yet.
    pub fn new(look: Look) -> Human {
        Human { look, start: None, told: BTreeMap::new(), timeline: Timeline::default() }
    }

    /// Counts time from this moment.
    pub fn start_at(&mut self, start: Timestamp) {
        self.start = Some(start);
    }

    /// The event's lines, with a newline at their end; `None` where it says nothing new.
    pub fn render(&mut self, stamped: &Stamped) -> Option<String> {
        let now = stamped.time;
        let start = *self.start.get_or_insert(now);
        if let Event::Outcome(outcome) = &stamped.event {
            return Some(summary::render(outcome, self.timeline.entries(), start, now, self.look));
        }
        let line = Line::of(&stamped.event, start, self.look);
        let about = line.about_what();
        let again = matches!(stamped.event, Event::Notice { .. }).then_some(NOTICE_AGAIN);
        let told = self.told.get(&about).is_some_and(|(gist, at)| {
            *gist == line.gist && again.is_none_or(|again| now.duration_since(*at) < again)
        });
        if told && !matches!(stamped.event, Event::Build { .. }) {
            return None;
        }
        if let Some(milestone) = line.milestone {
            self.timeline.note(now, &about, milestone);
        }
        self.told.insert(about, (line.gist, now));
        let time = self.look.faint(&format!("{:>8}", offset(start, now)));
        let topic = format!("{:<9}", line.topic);
        let topic = match stamped.event {
            Event::Phase { .. } => self.look.strong(&topic),
            _ => topic,
        };
        Some(format!("{time}  {topic} {}\n", line.text))
    }
}
