//! The summary at the end of a run: the outcome, the facts, and the timeline.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::time::{format_duration, relative_time};
use super::{TerminalStyle, bar};
use cutover_rollout::model::{Outcome, Requests, Status};

/// Returns the summary, with a blank line before it.
pub(super) fn render(
    outcome: &Outcome,
    timeline: &[(Timestamp, String)],
    start: Timestamp,
    end: Timestamp,
    look: TerminalStyle,
) -> String {
    let mut text = String::from("\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} {}",
        look.ending(outcome.outcome, &title(outcome.outcome, look)),
        outcome.message
    );
    // In whole seconds, as the times of the lines are.
    let took = Duration::from_secs((end.as_second() - start.as_second()).unsigned_abs());
    for (name, value) in facts(outcome, took, look) {
        let _ = writeln!(text, "  {} {value}", look.faint(&format!("{name:<10}")));
    }
    if !timeline.is_empty() {
        let _ = writeln!(text, "\n  {}", look.strong("timeline"));
        for (at, what) in timeline {
            let _ = writeln!(
                text,
                "  {} {what}",
                look.faint(&format!("{:>9} ", relative_time(start, *at)))
            );
        }
    }
    if let Some(all) = outcome.requests {
        let _ = writeln!(text, "\n  {}", look.strong("requests       served      failed"));
        for (version, requests) in &outcome.requests_by_version {
            row(&mut text, version, *requests, look);
        }
        row(&mut text, "all", all, look);
    }
    if let Some(hint) = &outcome.hint {
        let _ = writeln!(text, "\n  {} {hint}", look.strong("next:"));
    }
    text
}

fn title(ending: Status, look: TerminalStyle) -> String {
    let mark = match ending {
        Status::Succeeded => look.glyph("✔ ", ""),
        Status::RolledBack => look.glyph("↩ ", ""),
        Status::Refused | Status::Failed | Status::Stuck => look.glyph("✘ ", ""),
        Status::Superseded | Status::Interrupted => look.glyph("■ ", ""),
    };
    format!("{mark}{}:", ending.name().replace('_', " "))
}

/// Returns the facts that are known, in order.
fn facts(outcome: &Outcome, took: Duration, look: TerminalStyle) -> Vec<(&'static str, String)> {
    let version = outcome.launch_template_version.map(|version| match outcome.previous_version {
        Some(previous) => format!("{version} (previous: {previous})"),
        None => version.to_string(),
    });
    let took = match outcome.simulated_seconds {
        Some(seconds) => {
            format!("{} of simulated time", format_duration(Duration::from_secs(seconds)))
        }
        None => format_duration(took),
    };
    [
        ("strategy", outcome.strategy.map(|strategy| strategy.to_string())),
        ("image", outcome.image.as_ref().map(ToString::to_string)),
        ("version", version),
        ("traffic", outcome.shares.map(|shares| bar::shares(shares, look))),
        ("proof", outcome.proof.map(str::to_owned)),
        ("duration", Some(took)),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect()
}

/// Writes a row of the requests table.
fn row(text: &mut String, version: &str, requests: Requests, look: TerminalStyle) {
    let failed = format!("{:>11}", thousands(requests.failed));
    let failed = if requests.failed > 0 { look.bad(&failed) } else { failed };
    let _ = writeln!(text, "  {version:<9} {:>11} {failed}", thousands(requests.served));
}

/// Returns a number with its digits grouped, as `12,345`.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
