//! `Marker` and `PageSize`, alike in every Describe operation.

use super::errors::validation;
use crate::wire::{ApiResult, Value, map};

/// The largest page (API model).
const LARGEST: i64 = 400;

/// One page of `items` under the member `name`, with `NextMarker` if more follow. A marker is the
/// position of the next item, which holds as long as nothing is created or deleted in between.
pub(super) fn page(name: &'static str, items: Vec<Value>, input: &Value) -> ApiResult<Value> {
    let size = input.int("PageSize").unwrap_or(LARGEST);
    if !(1..=LARGEST).contains(&size) {
        return Err(validation(format!("PageSize must be between 1 and {LARGEST}")));
    }
    let start = match input.str("Marker") {
        Some(marker) => marker.parse().map_err(|_| validation("The marker is not valid"))?,
        None => 0,
    };
    let end = items.len().min(start + size as usize);
    let next = (end < items.len()).then(|| end.to_string());
    let items = items.into_iter().skip(start).take(size as usize).collect::<Vec<_>>();
    Ok(map([(name, items.into()), ("NextMarker", next.into())]))
}
