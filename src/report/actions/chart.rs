//! The weights of a run over time: as a Mermaid chart, and as bars of text where that is not drawn.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::Story;
use crate::model::{Colour, Ending, PerColour};
use crate::report::offset::offset;
use crate::report::{Look, bar};

/// Upper bound of points; more are unreadable.
const POINTS: u64 = 60;

/// Lower bound of points; fewer show a ramp where there was a step.
const FEWEST: u64 = 24;

/// Both pictures in Markdown; `None` where no weights were read.
pub(super) fn weights(story: &Story) -> Option<String> {
    let (_, first) = story.weights.first()?;
    let first = *story.first_set.as_ref().unwrap_or(first);
    let look = Look { colour: false, glyphs: true };
    let mut text = mermaid(story, newcomer(story, first));
    text.push_str("\n```text\n");
    for (at, weights) in &story.weights {
        let at = offset(story.start, *at);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{at:>9}  {}", bar::weights(*weights, look));
    }
    text.push_str("```\n");
    Some(text)
}

/// The side that traffic was to move to: the one that has everything after success, and the other one after a
/// rollback. Where neither has, the smaller one at a first step, or the one that got everything at once.
fn newcomer(story: &Story, first: PerColour<u8>) -> Colour {
    let outcome = story.outcome.as_ref();
    let weights = outcome.and_then(|outcome| outcome.weights);
    let whole =
        weights.and_then(|weights| Colour::BOTH.into_iter().find(|side| weights[*side] == 100));
    match (outcome.map(|outcome| outcome.outcome), whole) {
        (Some(ending), Some(side)) if ending == story.goal => side,
        (Some(Ending::RolledBack), Some(side)) => side.other(),
        _ => {
            let blue_is_smaller = first.blue < first.green;
            let at_once = first.blue == 0 || first.green == 0;
            if blue_is_smaller == at_once { Colour::Green } else { Colour::Blue }
        }
    }
}

fn mermaid(story: &Story, colour: Colour) -> String {
    let seconds = story.seconds().max(1);
    // One a minute, unless that is too few or too many.
    let points = (seconds / 60).clamp(FEWEST, POINTS);
    let shares: Vec<String> = (0..=points)
        .map(|point| share(story, colour, seconds * point / points).to_string())
        .collect();
    format!(
        "```mermaid\nxychart-beta\n    title \"Traffic on {colour}, in %\"\n    x-axis \"minutes\" 0 --> {:.1}\n    \
         y-axis \"%\" 0 --> 100\n    line [{}]\n```\n",
        seconds as f64 / 60.0,
        shares.join(", ")
    )
}

/// The share of `colour` so many seconds after the beginning.
fn share(story: &Story, colour: Colour, seconds: u64) -> u8 {
    let since = |at: &Timestamp| at.as_second() - story.start.as_second();
    let stands = story.weights.iter().rev().find(|(at, _)| since(at) <= seconds as i64);
    // Before its first step the new side has nothing.
    stands.map_or(0, |(_, weights)| weights[colour])
}
