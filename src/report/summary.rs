//! The end of a run: what holds now, and how it came about.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::offset::{clock, offset};
use super::{Look, bar};
use crate::model::{Ending, Outcome, Requests};

/// The summary block, with a blank line in front.
pub(super) fn render(
    outcome: &Outcome,
    timeline: &[(Timestamp, String)],
    start: Timestamp,
    end: Timestamp,
    look: Look,
) -> String {
    let mut text = String::from("\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} {}",
        look.ending(outcome.outcome, &title(outcome.outcome, look)),
        outcome.message
    );
    // As the lines before it count.
    let took = Duration::from_secs((end.as_second() - start.as_second()).unsigned_abs());
    for (name, value) in facts(outcome, took, look) {
        let _ = writeln!(text, "  {} {value}", look.faint(&format!("{name:<10}")));
    }
    if !timeline.is_empty() {
        let _ = writeln!(text, "\n  {}", look.strong("timeline"));
        for (at, what) in timeline {
            let _ =
                writeln!(text, "  {} {what}", look.faint(&format!("{:>9} ", offset(start, *at))));
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

fn title(ending: Ending, look: Look) -> String {
    let mark = match ending {
        Ending::Succeeded => look.glyph("✔ ", ""),
        Ending::RolledBack => look.glyph("↩ ", ""),
        Ending::Refused | Ending::Failed | Ending::Stuck => look.glyph("✘ ", ""),
        Ending::Superseded | Ending::Interrupted => look.glyph("■ ", ""),
    };
    format!("{mark}{}:", ending.name().replace('_', " "))
}

/// What is known, in order.
fn facts(outcome: &Outcome, took: Duration, look: Look) -> Vec<(&'static str, String)> {
    let version = outcome.launch_template_version.map(|version| match outcome.previous_version {
        Some(previous) => format!("{version} (before: {previous})"),
        None => version.to_string(),
    });
    let took = match outcome.virtual_seconds {
        Some(seconds) => {
            format!("{} of virtual time", clock(Duration::from_secs(seconds)))
        }
        None => clock(took),
    };
    [
        ("strategy", outcome.strategy.map(|strategy| strategy.to_string())),
        ("image", outcome.image.as_ref().map(ToString::to_string)),
        ("version", version),
        ("weights", outcome.weights.map(|weights| bar::weights(weights, look))),
        ("proof", outcome.proof.map(str::to_owned)),
        ("took", Some(took)),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect()
}

/// A row of the table of requests.
fn row(text: &mut String, version: &str, requests: Requests, look: Look) {
    let failed = format!("{:>11}", thousands(requests.failed));
    let failed = if requests.failed > 0 { look.bad(&failed) } else { failed };
    let _ = writeln!(text, "  {version:<9} {:>11} {failed}", thousands(requests.served));
}

/// `12 345`: digits in groups of three.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
