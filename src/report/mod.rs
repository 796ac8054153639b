//! What a run tells, rendered for people or for programs.
//!
//! One [`Reporter`] takes the one stream of events. Nothing here decides anything, and nothing
//! here fails: a reader that has gone away (`cutover deploy | head`) must not stop a rollout.

pub mod actions;
mod bar;
mod human;
mod layer;
mod line;
mod look;
mod offset;
mod summary;
mod timeline;

use std::io::{self, Write};

use jiff::Timestamp;

use crate::model::{Ending, Stamped};

pub use human::Human;
pub use layer::Bars;
pub use look::Look;

/// Renders events, one after the other, and writes them to `W`.
#[derive(Debug)]
pub struct Reporter<W> {
    out: W,
    rendering: Rendering,
}

#[derive(Debug)]
enum Rendering {
    Json,
    Human(Human),
    Actions(actions::Log),
}

impl<W: Write> Reporter<W> {
    /// One JSON object a line: [`Stamped`] as it is.
    pub fn json(out: W) -> Reporter<W> {
        Reporter { out, rendering: Rendering::Json }
    }

    /// Lines for people, ending in a summary.
    pub fn human(out: W, look: Look) -> Reporter<W> {
        Reporter { out, rendering: Rendering::Human(Human::new(look)) }
    }

    /// The log of a GitHub Actions step, where `goal` is the outcome that counts as success.
    pub fn actions(out: W, goal: Ending) -> Reporter<W> {
        Reporter { out, rendering: Rendering::Actions(actions::Log::new(goal)) }
    }

    /// Counts time from this moment, instead of from the first event.
    #[must_use]
    pub fn from(mut self, start: Timestamp) -> Reporter<W> {
        match &mut self.rendering {
            Rendering::Human(human) => human.start_at(start),
            Rendering::Actions(log) => log.start_at(start),
            Rendering::Json => {}
        }
        self
    }

    /// Renders an event. Write errors are passed over: the rollout matters more than its telling.
    pub fn tell(&mut self, event: &Stamped) {
        let _ = self.write(event);
    }

    fn write(&mut self, event: &Stamped) -> io::Result<()> {
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

    /// Gives back what was written to.
    pub fn into_inner(self) -> W {
        self.out
    }
}
