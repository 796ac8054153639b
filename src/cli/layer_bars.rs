//! The layers of a push in a terminal: as progress bars instead of lines.

use std::io::{IsTerminal as _, stderr, stdout};

use super::Format;
use crate::report::ProgressBars;
use cutover_rollout::model::Event;

/// Shows the progress of layers, and lets all other events pass.
pub(super) struct LayerBars {
    in_terminal: bool,
    bars: Option<ProgressBars>,
}

impl LayerBars {
    /// Shows progress bars if a person watches standard output and standard error.
    pub(super) fn new(format: Format) -> LayerBars {
        let in_terminal = stdout().is_terminal() && stderr().is_terminal();
        LayerBars { in_terminal: in_terminal && format == Format::Human, bars: None }
    }

    /// Returns whether the event is to be reported as a line. What is updated continuously is none.
    pub(super) fn is_line(&mut self, event: &Event) -> bool {
        match event {
            Event::Layer(progress) if self.in_terminal => {
                self.bars.get_or_insert_default().show(progress);
                false
            }
            Event::Layer(progress) => progress.state.is_reported_once(),
            _ => {
                // The lines that follow have the results.
                self.bars = None;
                true
            }
        }
    }
}
