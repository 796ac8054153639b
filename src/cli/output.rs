//! Standard output: events for people or programs, and results as text or JSON.

use std::io::{IsTerminal as _, Stdout, Write as _, stderr, stdout};

use jiff::Timestamp;

use super::{Format, step};
use crate::report::{Reporter, TerminalStyle};
use cutover_rollout::model::{Event, Failure, Outcome, Status, TimedEvent};

/// Returns a reporter to standard output. `goal` is the outcome that counts as success.
pub(super) fn reporter(format: Format, goal: Status) -> Reporter<Stdout> {
    match format {
        Format::Json => Reporter::json(stdout()),
        Format::Actions => Reporter::actions(stdout(), goal),
        Format::Human => Reporter::human(stdout(), terminal_style()),
    }
}

/// Returns what standard output can show.
pub(super) fn terminal_style() -> TerminalStyle {
    TerminalStyle::choose(stdout().is_terminal(), |name| std::env::var(name).ok())
}

/// Reports the outcome as the last event, and returns its exit code.
pub(super) fn finish(reporter: &mut Reporter<Stdout>, time: Timestamp, outcome: Outcome) -> u8 {
    let code = outcome.outcome.exit_code();
    reporter.emit(&TimedEvent { time, event: Event::Outcome(Box::new(outcome)) });
    code
}

/// Reports an error that prevented a command from starting, and returns its exit code. In JSON it is an
/// outcome like any other.
pub(super) fn report_error(format: Format, failure: Failure) -> u8 {
    report_outcome(format, failure.into())
}

/// Like [`report_error`], for an outcome that may have a hint.
pub(super) fn report_outcome(format: Format, outcome: Outcome) -> u8 {
    let ending = outcome.outcome;
    match format {
        Format::Json => {
            return finish(&mut reporter(format, ending), Timestamp::now(), outcome);
        }
        Format::Actions => step::refuse(outcome),
        Format::Human => {
            let text = [outcome.message.trim_end()].into_iter().chain(outcome.hint.as_deref());
            let text = text.collect::<Vec<_>>().join("\n");
            // If standard error is closed, there is nowhere to report that.
            let _ = match ending {
                Status::Interrupted => writeln!(stderr(), "{text}"),
                _ => writeln!(stderr(), "error: {text}"),
            };
        }
    }
    ending.exit_code()
}

/// Prints the result of a command that has no events, then its refusal, if there is one, and returns the
/// exit code. In a GitHub Actions step, one job summary has both.
pub(super) fn print_result(
    format: Format,
    start: Timestamp,
    text: &str,
    refusal: Option<Outcome>,
) -> u8 {
    if format == Format::Actions {
        return step::result(start, text, refusal);
    }
    print(text);
    refusal.map_or(0, |refusal| report_outcome(format, refusal))
}

/// Prints a text that ends in exactly one newline.
pub(super) fn print(text: &str) {
    let _ = writeln!(stdout(), "{}", text.trim_end());
}
