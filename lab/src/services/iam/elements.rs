//! Reads the parts of a policy document, which may stand alone or in an array.

use serde_json::Value as Json;

/// Returns the elements of an array, or the single value that stands in place of one.
pub(super) fn elements(json: &Json) -> impl Iterator<Item = &Json> {
    match json {
        Json::Array(items) => items.iter(),
        Json::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

pub(super) fn strings(json: &Json) -> impl Iterator<Item = &str> {
    elements(json).filter_map(Json::as_str)
}
