//! Renders a run's events for people or for programs.
//!
//! A [`Reporter`] takes the stream of events. Nothing here makes decisions, and nothing here fails: a
//! reader that has gone away (`cutover deploy | head`) must not stop a rollout.

pub mod actions;
mod bar;
mod human;
mod layer;
mod line;
mod summary;
mod terminal_style;
mod time;
mod timeline;

use std::io::{self, Write};

use jiff::Timestamp;

use cutover_rollout::model::{Status, TimedEvent};

pub use human::HumanRenderer;
pub use layer::ProgressBars;
pub use terminal_style::TerminalStyle;

/// Renders events one by one and writes them to `W`.
#[derive(Debug)]
pub struct Reporter<W> {
    out: W,
    rendering: Rendering,
}

#[derive(Debug)]
enum Rendering {
    Json,
    Human(HumanRenderer),
    Actions(actions::Log),
}

impl<W: Write> Reporter<W> {
    /// Returns a reporter that writes each [`TimedEvent`] as a line of JSON.
    pub fn json(out: W) -> Reporter<W> {
        Reporter { out, rendering: Rendering::Json }
    }

    /// Returns a reporter that writes lines for people, and a summary at the end.
    pub fn human(out: W, look: TerminalStyle) -> Reporter<W> {
        Reporter { out, rendering: Rendering::Human(HumanRenderer::new(look)) }
    }

    /// Returns a reporter that writes the log of a GitHub Actions step. `goal` is the outcome that counts as
    /// success.
    pub fn actions(out: W, goal: Status) -> Reporter<W> {
        Reporter { out, rendering: Rendering::Actions(actions::Log::new(goal)) }
    }

    /// Shows times relative to `start`, instead of to the first event.
    #[must_use]
    pub fn from(mut self, start: Timestamp) -> Reporter<W> {
        match &mut self.rendering {
            Rendering::Human(human) => human.start_at(start),
            Rendering::Actions(log) => log.start_at(start),
            Rendering::Json => {}
        }
        self
    }

    /// Renders and writes an event. Write errors are ignored: the rollout matters more than its report.
    pub fn emit(&mut self, event: &TimedEvent) {
        let _ = self.write(event);
    }

    fn write(&mut self, event: &TimedEvent) -> io::Result<()> {
        match &mut self.rendering {
            Rendering::Json => {
                let mut line = serde_json::to_vec(event)?;
                line.push(b'\n');
                self.out.write_all(&line)?;
            }
            Rendering::Actions(log) => {
                if let Some(text) = log.render(event) {
                    self.out.write_all(text.as_bytes())?;
                }
            }
            Rendering::Human(human) => {
                if let Some(text) = human.render(event) {
                    self.out.write_all(text.as_bytes())?;
                }
            }
        }
        self.out.flush()
    }

    /// Returns the writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}
