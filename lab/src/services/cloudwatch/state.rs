//! The state of CloudWatch.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::alarm::Alarm;
use super::history_item::Item;
use super::metric::Metric;
use super::samples::Samples;

/// The samples of each metric by time: to the minute, or to the second for high-resolution metrics.
type Custom = BTreeMap<Metric, BTreeMap<Timestamp, Samples>>;

/// Tags by key.
pub(super) type Tags = BTreeMap<String, String>;

/// The state of this service.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Metric alarms by name.
    pub alarms: BTreeMap<String, Alarm>,
    /// The metrics stored by PutMetricData.
    pub(super) custom: Custom,
    /// Tags of alarms, by ARN.
    pub(super) tags: BTreeMap<String, Tags>,
    /// Configuration changes of alarms, and state changes of deleted ones, oldest first.
    pub(super) history: Vec<Item>,
}
