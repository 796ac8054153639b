//! Values with their position in the file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

/// A position in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// In characters; at least 1.
    pub width: usize,
    /// In bytes from the start of the file.
    pub offset: usize,
}

impl Position {
    /// Converts the parser's location; `None` if it is unknown.
    pub(super) fn of(location: Location) -> Option<Position> {
        let span = location.span();
        (location != Location::UNKNOWN).then(|| Position {
            line: location.line() as usize,
            column: location.column() as usize,
            width: (span.len() as usize).max(1),
            offset: span.byte_offset().unwrap_or_default() as usize,
        })
    }

    /// Returns the position of the nearest `key:` before this one: the key whose value this is.
    pub(super) fn key(self, key: &str, text: &str) -> Position {
        let before = text.get(..self.offset).unwrap_or_default();
        let found = before.rmatch_indices(key).map(|(at, _)| at).find(|at| {
            before[at + key.len()..].trim_start_matches('"').trim_start().starts_with(':')
        });
        found.map_or(self, |offset| {
            let line_start = before[..offset].rfind('\n').map_or(0, |newline| newline + 1);
            Position {
                line: before[..offset].matches('\n').count() + 1,
                column: before[line_start..offset].chars().count() + 1,
                width: key.chars().count(),
                offset,
            }
        })
    }
}

/// A value and its position: serde-saphyr's `Spanned` with the JSON Schema of the value.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    /// The value.
    pub value: T,
    /// Its position; `None` only if a YAML alias hides it.
    pub place: Option<Position>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Located<T>, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Located { value: spanned.value, place: Position::of(spanned.referenced) })
    }
}

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
