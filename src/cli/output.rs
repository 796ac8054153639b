//! Standard output: events for people or programs, and values as YAML-like text or JSON.

use std::io::{IsTerminal as _, Stdout, Write as _, stderr, stdout};

use jiff::Timestamp;

use super::{Format, step};
use crate::model::{Ending, Event, Outcome, Stamped};
use crate::report::{Look, Reporter};

/// The reporter of a format on standard output, where `goal` is the outcome that counts as success.
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

/// Writes what a command prints instead of events, and why it is refused all the same, if it is. Gives the
/// exit code. In a step, both are in one job summary.
pub(super) fn result(format: Format, start: Timestamp, text: &str, refusal: Option<Outcome>) -> u8 {
    if format == Format::Actions {
        return step::result(start, text, refusal);
    }
    print(text);
    refusal.map_or(0, |refusal| end(format, refusal))
}

/// Writes a text, with a newline at its end.
pub(super) fn print(text: &str) {
    let _ = writeln!(stdout(), "{}", text.trim_end());
}
