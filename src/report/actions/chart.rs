//! The traffic shares over a run: as a Mermaid chart, and as text bars where Mermaid is not rendered.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::RunHistory;
use crate::report::time::relative_time;
use crate::report::{TerminalStyle, bar};
use cutover_rollout::model::{Color, PerColor, Status};

/// The most points in a chart; more are unreadable.
const POINTS: u64 = 60;

/// The fewest points in a chart; fewer turn a step into a ramp.
const FEWEST: u64 = 24;

/// Returns both charts in Markdown; `None` if no shares were read back.
pub(super) fn traffic(history: &RunHistory) -> Option<String> {
    let (_, first) = history.shares.first()?;
    let first = *history.first_shares.as_ref().unwrap_or(first);
    let look = TerminalStyle { color: false, glyphs: true };
    let mut text = mermaid(history, new_side(history, first));
    text.push_str("\n```text\n");
    for (at, shares) in &history.shares {
        let at = relative_time(history.start, *at);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{at:>9}  {}", bar::shares(*shares, look));
    }
    text.push_str("```\n");
    Some(text)
}

/// Returns the side that traffic was to move to: after success the one that has all traffic, after a rollback the
/// other one. If neither has, the one with the smaller first share, or the one that received all traffic at once.
fn new_side(history: &RunHistory, first: PerColor<u8>) -> Color {
    let outcome = history.outcome.as_ref();
    let shares = outcome.and_then(|outcome| outcome.shares);
    let whole = shares.and_then(|shares| Color::BOTH.into_iter().find(|side| shares[*side] == 100));
    match (outcome.map(|outcome| outcome.outcome), whole) {
        (Some(ending), Some(side)) if ending == history.goal => side,
        (Some(Status::RolledBack), Some(side)) => side.other(),
        _ => {
            let blue_is_smaller = first.blue < first.green;
            let at_once = first.blue == 0 || first.green == 0;
            if blue_is_smaller == at_once { Color::Green } else { Color::Blue }
        }
    }
}

fn mermaid(history: &RunHistory, color: Color) -> String {
    let seconds = history.seconds().max(1);
    // One point per minute, unless that is too few or too many.
    let points = (seconds / 60).clamp(FEWEST, POINTS);
    let shares: Vec<String> = (0..=points)
        .map(|point| share(history, color, seconds * point / points).to_string())
        .collect();
    format!(
        "```mermaid\nxychart-beta\n    title \"Traffic on {color}, in %\"\n    x-axis \"minutes\" 0 --> {:.1}\n    \
         y-axis \"%\" 0 --> 100\n    line [{}]\n```\n",
        seconds as f64 / 60.0,
        shares.join(", ")
    )
}

/// Returns the share of `color` in percent, this number of seconds after the start.
fn share(history: &RunHistory, color: Color, seconds: u64) -> u8 {
    let since = |at: &Timestamp| at.as_second() - history.start.as_second();
    let stands = history.shares.iter().rev().find(|(at, _)| since(at) <= seconds as i64);
    // Before its first step, the new side has no traffic.
    stands.map_or(0, |(_, shares)| shares[color])
}
