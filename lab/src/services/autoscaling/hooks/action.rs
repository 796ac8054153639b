//! A lifecycle action as data.

use std::time::Duration;

use jiff::Timestamp;

use super::hook::ActionResult;

/// A pending lifecycle action of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleAction {
    /// The hook's name.
    pub hook: String,
    /// Its token, a UUID.
    pub token: String,
    /// When it times out.
    pub deadline: Timestamp,
    /// When it times out regardless of heartbeats (the global timeout).
    pub last: Timestamp,
    /// By how much a heartbeat extends the deadline.
    pub(super) timeout: Duration,
    /// The result if it times out.
    pub(super) default: ActionResult,
}
