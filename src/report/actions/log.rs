//! The log of a step: lines for people, grouped by phase, and at most ten annotations of each level.

use jiff::Timestamp;

use super::command::{Annotation, END_GROUP, Level, Place, group, sanitize};
use crate::report::time::relative_time;
use crate::report::{HumanRenderer, TerminalStyle};
use cutover_rollout::model::{Event, Outcome, Status, TimedEvent};

/// The most annotations of each level for findings. The runner keeps ten per level and step and drops the rest
/// (actions/runner, `ExecutionContext.cs`); the tenth is for the outcome.
const FINDINGS: usize = 9;

/// Renders events as log lines and workflow commands.
#[derive(Debug)]
pub struct Log {
    human: HumanRenderer,
    start: Option<Timestamp>,
    /// The outcome that counts as success.
    goal: Status,
    /// The title of the open group.
    open: Option<String>,
    errors: usize,
    warnings: usize,
}

/// Where an event's lines are written.
enum Section {
    /// In the open group, or in none if none is open.
    Same,
    /// Outside of groups, so that they are visible without unfolding.
    Top,
    /// In a group with this title.
    Group(String),
}

impl Log {
    /// Returns a log that has written nothing yet. `goal` is the outcome that counts as success.
    pub fn new(goal: Status) -> Log {
        let look = TerminalStyle { color: true, glyphs: true };
        Log {
            human: HumanRenderer::new(look),
            start: None,
            goal,
            open: None,
            errors: 0,
            warnings: 0,
        }
    }

    /// Shows times relative to `start`.
    pub fn start_at(&mut self, start: Timestamp) {
        self.start = Some(start);
        self.human.start_at(start);
    }

    /// Returns the event's lines, with a newline at the end; `None` if it says nothing new.
    pub fn render(&mut self, stamped: &TimedEvent) -> Option<String> {
        let mut text = String::new();
        let start = *self.start.get_or_insert(stamped.time);
        let lines = self.human.render(stamped);
        match section(&stamped.event) {
            _ if lines.is_none() => return None,
            Section::Same => {}
            Section::Top => self.enter(None, &mut text),
            Section::Group(title) => {
                let title = match stamped.event {
                    Event::Phase { .. } => {
                        format!("{} {title}", relative_time(start, stamped.time))
                    }
                    _ => title,
                };
                self.enter(Some(title), &mut text);
            }
        }
        // A phase's own line would repeat the title of its group.
        if !matches!(stamped.event, Event::Phase { .. }) {
            text.push_str(&sanitize(&lines.unwrap_or_default()));
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
                        "there are more findings than GitHub shows as annotations: see the log of this step, \
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
            Event::Outcome(outcome) => Some(outcome_annotation(outcome, self.goal)),
            _ => None,
        }
    }
}

/// Returns the annotation of an outcome.
pub fn outcome_annotation(outcome: &Outcome, goal: Status) -> Annotation {
    let level = match outcome.outcome {
        status if status == goal => Level::Notice,
        Status::Superseded | Status::Interrupted => Level::Warning,
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
        | Event::RollingBack { .. }
        | Event::Outcome(_) => Section::Top,
        Event::Build { .. } => Section::Group("build".to_owned()),
        Event::Layer(_) => Section::Group("push".to_owned()),
        Event::Phase { phase, message } => Section::Group(format!("{phase}: {message}")),
        _ => Section::Same,
    }
}
