//! The log of a step: lines for people, folded by phase, and at most ten annotations of each kind.

use jiff::Timestamp;

use super::command::{Annotation, END_GROUP, Level, Place, group, plain};
use crate::model::{Ending, Event, Outcome, Stamped};
use crate::report::offset::offset;
use crate::report::{Human, Look};

/// The runner keeps ten annotations of each type and step, and drops the rest (actions/runner,
/// `ExecutionContext.cs`). The last one is kept for the outcome.
const FINDINGS: usize = 9;

/// Turns events into what the runner shows.
#[derive(Debug)]
pub struct Log {
    human: Human,
    start: Option<Timestamp>,
    /// The outcome that counts as success.
    goal: Ending,
    /// The title of the group that is open.
    open: Option<String>,
    errors: usize,
    warnings: usize,
}

/// Where an event's lines go.
enum Section {
    /// To the group that is open, or to none.
    Same,
    /// To no group, so that they are seen without unfolding.
    Top,
    /// To a group of this title.
    Group(String),
}

impl Log {
    /// With nothing written yet, where `goal` is the outcome that counts as success.
    pub fn new(goal: Ending) -> Log {
        let look = Look { colour: true, glyphs: true };
        Log { human: Human::new(look), start: None, goal, open: None, errors: 0, warnings: 0 }
    }

    /// Counts time from this moment.
    pub fn start_at(&mut self, start: Timestamp) {
        self.start = Some(start);
        self.human.start_at(start);
    }

    /// The event's lines, with a newline at their end; `None` where it says nothing new.
    pub fn render(&mut self, stamped: &Stamped) -> Option<String> {
        let mut text = String::new();
        let start = *self.start.get_or_insert(stamped.time);
        let lines = self.human.render(stamped);
        match section(&stamped.event) {
            _ if lines.is_none() => return None,
            Section::Same => {}
            Section::Top => self.enter(None, &mut text),
            Section::Group(title) => {
                let title = match stamped.event {
                    Event::Phase { .. } => format!("{} {title}", offset(start, stamped.time)),
                    _ => title,
                };
                self.enter(Some(title), &mut text);
            }
        }
        // A phase's own line would only repeat the title of its group.
        if !matches!(stamped.event, Event::Phase { .. }) {
            text.push_str(&plain(&lines.unwrap_or_default()));
        }
        if let Some(annotation) = self.annotation(&stamped.event) {
            text.push_str(&format!("{annotation}\n"));
        }
        Some(text)
    }

    fn enter(&mut self, title: Option<String>, text: &mut String) {
        if self.open == title {
            return;
        }
        if self.open.take().is_some() {
            text.push_str(&format!("{END_GROUP}\n"));
        }
        if let Some(title) = &title {
            text.push_str(&format!("{}\n", group(title)));
        }
        self.open = title;
    }

    fn annotation(&mut self, event: &Event) -> Option<Annotation> {
        match event {
            Event::Finding { severity, message, remedy, cli } => {
                let (level, count) = match *severity {
                    "error" => (Level::Error, &mut self.errors),
                    _ => (Level::Warning, &mut self.warnings),
                };
                *count += 1;
                let message = match *count {
                    ..FINDINGS => [Some(message), Some(remedy), cli.as_ref()]
                        .into_iter()
                        .flatten()
                        .map(String::as_str)
                        .collect::<Vec<_>>()
                        .join("\n"),
                    FINDINGS => {
                        "there are more findings than can be annotated: see the log of this step, \
                                 or its summary"
                            .to_owned()
                    }
                    _ => return None,
                };
                Some(Annotation {
                    level,
                    title: "cutover: preflight".to_owned(),
                    message,
                    place: None,
                })
            }
            Event::Outcome(outcome) => Some(ending(outcome, self.goal)),
            _ => None,
        }
    }
}

/// The annotation of an outcome.
pub fn ending(outcome: &Outcome, goal: Ending) -> Annotation {
    let level = match outcome.outcome {
        ending if ending == goal => Level::Notice,
        Ending::Superseded | Ending::Interrupted => Level::Warning,
        _ => Level::Error,
    };
    let hint = outcome.hint.iter().map(String::as_str);
    Annotation {
        level,
        title: format!("cutover: {}", outcome.outcome.name().replace('_', " ")),
        message: [outcome.message.trim_end()]
            .into_iter()
            .chain(hint)
            .collect::<Vec<_>>()
            .join("\n"),
        place: Place::of(&outcome.message),
    }
}

fn section(event: &Event) -> Section {
    match event {
        Event::Started { .. }
        | Event::Finding { .. }
        | Event::Image { .. }
        | Event::Version { .. }
        | Event::TakingBack { .. }
        | Event::Outcome(_) => Section::Top,
        Event::Build { .. } => Section::Group("build".to_owned()),
        Event::Layer(_) => Section::Group("push".to_owned()),
        Event::Phase { phase, message } => Section::Group(format!("{phase}: {message}")),
        _ => Section::Same,
    }
}
