//! Pagination by `Marker` and `MaxItems`, the same in every list operation.

use super::errors::validation;
use super::state::Tags;
use crate::services::paging;
use crate::wire::{ApiResult, Value, map};

/// Returns one page of `items` as the member `name`: 100 items, unless the input asks for 1 to 1000.
pub(super) fn page(name: &'static str, items: Vec<Value>, input: &Value) -> ApiResult<Value> {
    let size = match input.int("MaxItems") {
        None => 100,
        Some(size @ 1..=1000) => size as usize,
        Some(size) => {
            return Err(validation(format!(
                "1 validation error detected: Value '{size}' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000"
            )));
        }
    };
    let (items, next) = paging::page(items, input.str("Marker"), size, "ValidationError")?;
    Ok(map([(name, items.into()), ("IsTruncated", next.is_some().into()), ("Marker", next.into())]))
}

/// Formats tags for a response.
pub(super) fn write_tags(tags: &Tags) -> Value {
    let tags = tags.iter();
    let tags = tags.map(|(k, v)| map([("Key", k.as_str().into()), ("Value", v.as_str().into())]));
    Value::List(tags.collect())
}
