//! A scheduled action as data.

use jiff::Timestamp;

use super::recurrence::Recurrence;

/// A scheduled action. One without a recurrence is removed once it has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledAction {
    /// Its name, unique in the group.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// When it runs next.
    pub start: Timestamp,
    /// When its recurrence ends.
    pub end: Option<Timestamp>,
    /// Its recurrence.
    pub recurs: Option<Recurrence>,
    /// The MinSize that it sets.
    pub min: Option<u64>,
    /// The MaxSize that it sets.
    pub max: Option<u64>,
    /// The DesiredCapacity that it sets.
    pub desired: Option<u64>,
    /// Identifies this version: a later put under the same name has another number.
    pub(super) generation: u64,
}
