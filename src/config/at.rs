//! A value and its place in the file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

/// Where something stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// In characters; at least 1.
    pub width: usize,
    /// From the start of the file, in bytes.
    pub offset: usize,
}

impl Place {
    /// The place that the parser names; `None` where it knows none.
    pub(super) fn of(location: Location) -> Option<Place> {
        let span = location.span();
        (location != Location::UNKNOWN).then(|| Place {
            line: location.line() as usize,
            column: location.column() as usize,
            width: (span.len() as usize).max(1),
            offset: span.byte_offset().unwrap_or_default() as usize,
        })
    }

    /// The place of the nearest `key:` before this one: of the key that this is the value of.
    pub(super) fn key(self, key: &str, text: &str) -> Place {
        let before = text.get(..self.offset).unwrap_or_default();
        let found = before.rmatch_indices(key).map(|(at, _)| at).find(|at| {
            before[at + key.len()..].trim_start_matches('"').trim_start().starts_with(':')
        });
        found.map_or(self, |offset| {
            let line_start = before[..offset].rfind('\n').map_or(0, |newline| newline + 1);
            Place {
                line: before[..offset].matches('\n').count() + 1,
                column: before[line_start..offset].chars().count() + 1,
                width: key.chars().count(),
                offset,
            }
        })
    }
}

/// A value and its place. serde-saphyr's `Spanned`, with a JSON Schema: that of the value.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    /// The value.
    pub value: T,
    /// Its place; `None` only where an alias hides it.
    pub place: Option<Place>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<At<T>, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(At { value: spanned.value, place: Place::of(spanned.referenced) })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
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
