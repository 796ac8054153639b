//! The promises, held against the lab's truth.

use jiff::Timestamp;

/// A promise that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub promise: &'static str,
    /// When, by the lab's time.
    pub at: Timestamp,
    /// What was there instead.
    pub what: String,
}
