//! Standard output: events for people or programs, and values as YAML-like text or JSON.

use std::io::{IsTerminal as _, Stdout, Write as _, stderr, stdout};

use jiff::Timestamp;

use super::{Format, step};
use crate::model::{Ending, Event, Outcome, Stamped};
use crate::report::{Look, Reporter};

/// The reporter of a format on standard output, for a run that is to end as `goal`.
pub(super) fn reporter(format: Format, goal: Ending) -> Reporter<Stdout> {
    match format {
        Format::Json => Reporter::json(stdout()),
        Format::Actions => Reporter::actions(stdout(), goal),
        Format::Human => Reporter::human(stdout(), look()),
    }
}

/// What standard output can show.
pub(super) fn look() -> Look {
    Look::choose(stdout().is_terminal(), |name| std::env::var(name).ok())
}

/// Tells the outcome as the last event, and gives its exit code.
pub(super) fn finish(reporter: &mut Reporter<Stdout>, time: Timestamp, outcome: Outcome) -> u8 {
    let code = outcome.outcome.exit_code();
    reporter.tell(&Stamped { time, event: Event::Outcome(Box::new(outcome)) });
    code
}

/// Tells an error that came before anything could begin, and gives its exit code. With JSON it is
/// an outcome like any other.
pub(super) fn refuse(format: Format, ending: Ending, message: &str) -> u8 {
    end(format, Outcome::new(ending, message))
}

/// The same for an outcome with advice.
pub(super) fn end(format: Format, outcome: Outcome) -> u8 {
    let ending = outcome.outcome;
    match format {
        Format::Json => {
            return finish(&mut reporter(format, ending), Timestamp::now(), outcome);
        }
        Format::Actions => step::refuse(outcome),
        Format::Human => {
            let text = [outcome.message.trim_end()].into_iter().chain(outcome.hint.as_deref());
            let text = text.collect::<Vec<_>>().join("\n");
            // Nobody is left to tell where standard error is closed.
            let _ = match ending {
                Ending::Interrupted => writeln!(stderr(), "{text}"),
                _ => writeln!(stderr(), "error: {text}"),
            };
        }
    }
    ending.exit_code()
}

/// Writes what a command prints instead of events: in a step, it is part of the job summary, too.
pub(super) fn print_result(format: Format, text: &str) {
    match format {
        Format::Actions => step::print(text),
        Format::Human | Format::Json => print(text),
    }
}

/// Writes a text, with a newline at its end.
pub(super) fn print(text: &str) {
    let _ = writeln!(stdout(), "{}", text.trim_end());
}
