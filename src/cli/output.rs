//! Standard output: events for people or programs, and values as YAML-like text or JSON.

use std::io::{IsTerminal as _, Stdout, Write as _, stderr, stdout};

use jiff::Timestamp;

use super::Format;
use crate::model::{Ending, Event, Outcome, Stamped};
use crate::report::{Look, Reporter};

/// The reporter of a format on standard output.
pub(super) fn reporter(format: Format) -> Reporter<Stdout> {
    match format {
        Format::Json => Reporter::json(stdout()),
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
    if format == Format::Json {
        let outcome = Outcome::new(ending, message);
        return finish(&mut reporter(format), Timestamp::now(), outcome);
    }
    // Nobody is left to tell where standard error is closed.
    let _ = match ending {
        Ending::Interrupted => writeln!(stderr(), "{}", message.trim_end()),
        _ => writeln!(stderr(), "error: {}", message.trim_end()),
    };
    ending.exit_code()
}

/// Writes a text, with a newline at its end.
pub(super) fn print(text: &str) {
    let _ = writeln!(stdout(), "{}", text.trim_end());
}
