//! A run as lines for people, without repetitions, and a summary at the end.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::line::Line;
use super::time::relative_time;
use super::timeline::Timeline;
use super::{TerminalStyle, summary};
use cutover_rollout::model::{Event, TimedEvent};

/// The least time between two lines of the same notice.
const NOTICE_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// Renders events as lines, and keeps what the summary needs.
#[derive(Debug)]
pub struct HumanRenderer {
    look: TerminalStyle,
    start: Option<Timestamp>,
    /// The gist of the last line about each subject, and its time, so that an unchanged line is not
    /// repeated.
    last_lines: BTreeMap<String, (String, Timestamp)>,
    timeline: Timeline,
}

impl HumanRenderer {
    /// Returns a renderer that has written nothing yet.
    pub fn new(look: TerminalStyle) -> HumanRenderer {
        HumanRenderer {
            look,
            start: None,
            last_lines: BTreeMap::new(),
            timeline: Timeline::default(),
        }
    }

    /// Shows times relative to `start`.
    pub fn start_at(&mut self, start: Timestamp) {
        self.start = Some(start);
    }

    /// Returns the event's lines, with a newline at the end; `None` if it says nothing new.
    pub fn render(&mut self, stamped: &TimedEvent) -> Option<String> {
        let now = stamped.time;
        let start = *self.start.get_or_insert(now);
        if let Event::Outcome(outcome) = &stamped.event {
            return Some(summary::render(outcome, self.timeline.entries(), start, now, self.look));
        }
        let line = Line::of(&stamped.event, start, self.look);
        let about = line.subject_key();
        let again = matches!(stamped.event, Event::Notice { .. }).then_some(NOTICE_AGAIN);
        let reported = self.last_lines.get(&about).is_some_and(|(gist, at)| {
            *gist == line.gist && again.is_none_or(|again| now.duration_since(*at) < again)
        });
        if reported && !matches!(stamped.event, Event::Build { .. }) {
            return None;
        }
        if let Some(milestone) = line.milestone {
            self.timeline.note(now, &about, milestone);
        }
        self.last_lines.insert(about, (line.gist, now));
        let time = self.look.faint(&format!("{:>8}", relative_time(start, now)));
        let topic = format!("{:<9}", line.topic);
        let topic = match stamped.event {
            Event::Phase { .. } => self.look.strong(&topic),
            _ => topic,
        };
        Some(format!("{time}  {topic} {}\n", line.text))
    }
}
