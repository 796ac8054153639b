//! Collects the errors in a file.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::at::{Located, Position};
use super::super::error::Diagnostic;
use super::super::values;

/// The errors found so far, and helpers that check single values.
pub(crate) struct Checker<'a> {
    text: &'a str,
    pub(crate) mistakes: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(text: &'a str) -> Checker<'a> {
        Checker { text, mistakes: Vec::new() }
    }

    /// Reports an error at `place`.
    pub(crate) fn at(
        &mut self,
        place: Option<Position>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.mistakes.push(Diagnostic { place, message: message.into(), hint: remedy.into() });
    }

    /// Reports an error at a key, given the position of its value.
    pub(crate) fn key(
        &mut self,
        key: &str,
        place: Option<Position>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.at(place.map(|place| place.key(key, self.text)), message, remedy);
    }

    /// Refuses a key that a later release will support, so that it is not silently ignored.
    pub(crate) fn unsupported(&mut self, key: &str, place: Option<Position>, remedy: &str) {
        self.key(key, place, format!("`{key}` is not supported yet"), remedy);
    }

    /// Refuses a key that has no effect with `strategy: rolling`.
    pub(crate) fn unused_with_rolling(&mut self, key: &str, place: Option<Position>, why: &str) {
        self.key(key, place, format!("`{key}` has no effect with `strategy: rolling`"), why);
    }

    /// Reports an error if `text` is empty.
    pub(crate) fn filled(&mut self, text: &Located<String>, what: &str) {
        if text.value.trim().is_empty() {
            self.at(text.place, format!("this is empty, but must be {what}"), "add the value");
        }
    }

    /// Parses a duration.
    pub(crate) fn duration(&mut self, at: Option<&Located<String>>, default: Duration) -> Duration {
        let Some(at) = at else { return default };
        values::duration(&at.value).unwrap_or_else(|| {
            self.at(
                at.place,
                format!("`{}` is not a duration", at.value),
                "write a number and a unit, as in `5m`, `90s` or `1h30m`",
            );
            default
        })
    }

    /// Parses a duration that must not be zero.
    pub(crate) fn positive_duration(
        &mut self,
        at: Option<&Located<String>>,
        default: Duration,
    ) -> Duration {
        let read = self.duration(at, default);
        if read.is_zero() {
            self.at(
                at.and_then(|at| at.place),
                "this time limit must not be zero",
                "set it to a few minutes, or remove it to use the default",
            );
        }
        read
    }

    /// Checks that an integer is within `range`.
    pub(crate) fn number<T: TryFrom<i64>>(
        &mut self,
        at: &Located<i64>,
        range: RangeInclusive<i64>,
        what: &str,
    ) -> Option<T> {
        let read = range.contains(&at.value).then(|| T::try_from(at.value).ok()).flatten();
        if read.is_none() {
            self.at(
                at.place,
                format!("{what} cannot be {}", at.value),
                format!("write an integer from {} to {}", range.start(), range.end()),
            );
        }
        read
    }

    /// Checks percentages that must ascend and end with 100.
    pub(crate) fn ascending(&mut self, list: &Located<Vec<Located<i64>>>, key: &str) -> Vec<u8> {
        let mut read: Vec<u8> = Vec::new();
        for at in &list.value {
            let Some(percent) = self.number(at, 1..=100, "a percentage") else { return read };
            if read.last().is_some_and(|last| *last >= percent) {
                self.at(
                    at.place,
                    format!("{percent} is not greater than {}", read[read.len() - 1]),
                    format!("list `{key}` in ascending order, each number once"),
                );
                return read;
            }
            read.push(percent);
        }
        if read.last() != Some(&100) {
            let place = list.value.last().map_or(list.place, |last| last.place);
            self.at(
                place,
                format!("`{key}` must end with 100"),
                "add 100 at the end, so that the rollout can complete".to_owned(),
            );
        }
        read
    }
}
