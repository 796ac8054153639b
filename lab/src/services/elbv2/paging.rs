//! Paging with `Marker` and `PageSize`, which all Describe operations share.

use super::errors::validation;
use crate::services::paging;
use crate::wire::{ApiResult, Value, map};

/// The maximum page size (API model).
const LARGEST: i64 = 400;

/// Returns one page of `items` in the member `name`, with `NextMarker` if more follow.
pub(super) fn page(name: &'static str, items: Vec<Value>, input: &Value) -> ApiResult<Value> {
    let size = input.int("PageSize").unwrap_or(LARGEST);
    if !(1..=LARGEST).contains(&size) {
        return Err(validation(format!("PageSize must be between 1 and {LARGEST}")));
    }
    let (items, next) = paging::page(items, input.str("Marker"), size as usize, "ValidationError")?;
    Ok(map([(name, items.into()), ("NextMarker", next.into())]))
}
