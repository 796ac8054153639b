//! Collects objections.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::at::{At, Place};
use super::super::error::Mistake;
use super::super::values;

/// What is wrong so far.
pub(in crate::config) struct Checker<'a> {
    text: &'a str,
    pub(in crate::config) mistakes: Vec<Mistake>,
}

impl<'a> Checker<'a> {
    pub(in crate::config) fn new(text: &'a str) -> Checker<'a> {
        Checker { text, mistakes: Vec::new() }
    }

    /// Objects to what stands at `place`.
    pub(in crate::config) fn at(
        &mut self,
        place: Option<Place>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.mistakes.push(Mistake { place, message: message.into(), remedy: remedy.into() });
    }

    /// Objects to a key, whose value stands at `place`.
    pub(in crate::config) fn key(
        &mut self,
        key: &str,
        place: Option<Place>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.at(place.map(|place| place.key(key, self.text)), message, remedy);
    }

    /// Refuses a key that a later release will serve: it must not be silently ignored.
    pub(in crate::config) fn unsupported(&mut self, key: &str, place: Option<Place>, remedy: &str) {
        self.key(key, place, format!("`{key}` is not yet supported"), remedy);
    }

    /// Refuses a key that means nothing to the strategy.
    pub(in crate::config) fn useless(&mut self, key: &str, place: Option<Place>, why: &str) {
        self.key(key, place, format!("`{key}` means nothing with `strategy: rolling`"), why);
    }

    /// Objects to a text that is empty.
    pub(in crate::config) fn filled(&mut self, text: &At<String>, what: &str) {
        if text.value.trim().is_empty() {
            self.at(text.place, format!("this is empty, where {what} belongs"), "write it");
        }
    }

    /// Reads a duration.
    pub(in crate::config) fn duration(
        &mut self,
        at: Option<&At<String>>,
        default: Duration,
    ) -> Duration {
        let Some(at) = at else { return default };
        values::duration(&at.value).unwrap_or_else(|| {
            self.at(
                at.place,
                format!("`{}` is no duration", at.value),
                "write it with its units, as in `5m`, `90s` or `1h30m`",
            );
            default
        })
    }

    /// Reads a duration that must not be zero.
    pub(in crate::config) fn positive_duration(
        &mut self,
        at: Option<&At<String>>,
        default: Duration,
    ) -> Duration {
        let read = self.duration(at, default);
        if read.is_zero() {
            self.at(
                at.and_then(|at| at.place),
                "a deadline of zero lets nothing happen",
                "give it at least some minutes, or leave it out for the default",
            );
        }
        read
    }

    /// Reads a whole number within `range`.
    pub(in crate::config) fn number<T: TryFrom<i64>>(
        &mut self,
        at: &At<i64>,
        range: RangeInclusive<i64>,
        what: &str,
    ) -> Option<T> {
        let read = range.contains(&at.value).then(|| T::try_from(at.value).ok()).flatten();
        if read.is_none() {
            self.at(
                at.place,
                format!("{what} cannot be {}", at.value),
                format!("write a whole number from {} to {}", range.start(), range.end()),
            );
        }
        read
    }

    /// Reads percentages that ascend to 100.
    pub(in crate::config) fn ascending(&mut self, list: &At<Vec<At<i64>>>, key: &str) -> Vec<u8> {
        let mut read: Vec<u8> = Vec::new();
        for at in &list.value {
            let Some(percent) = self.number(at, 1..=100, "a percentage") else { return read };
            if read.last().is_some_and(|last| *last >= percent) {
                self.at(
                    at.place,
                    format!("{percent} does not come after {}", read[read.len() - 1]),
                    format!("let `{key}` ascend, each number once"),
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
                format!("add 100 at its end: else `{key}` would never be finished"),
            );
        }
        read
    }
}
