//! An item of an alarm's history.

use jiff::Timestamp;

/// A configuration change of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Created,
    Updated,
    Deleted,
}

/// One history item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) alarm: String,
    pub(super) at: Timestamp,
    pub(super) kind: &'static str,
    pub(super) summary: String,
    pub(super) data: String,
}
