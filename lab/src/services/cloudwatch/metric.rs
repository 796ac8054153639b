//! The name and dimensions of a metric.

use std::collections::BTreeMap;

use crate::wire::Value;

/// One metric: its name and dimensions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Metric {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: BTreeMap<String, String>,
}

/// Reads a list of dimensions.
pub(super) fn dimensions(list: &[Value]) -> BTreeMap<String, String> {
    list.iter()
        .filter_map(|d| Some((d.str("Name")?.to_owned(), d.str("Value").unwrap_or("").to_owned())))
        .collect()
}
