//! The state of EC2 Auto Scaling, and the events that change it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::activity::Activity;
use super::group::Group;

/// The state of this service.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// The activities of deleted groups, earliest deletion first.
    pub former: Vec<DeletedGroup>,
}

/// A scheduled event of this service. Each names the group that it applies to.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Launches or terminates instances until the group is at its DesiredCapacity.
    Converge(String),
    /// A launched instance enters service.
    InService(String, String),
    /// Checks whether a departing instance's deregistration has ended.
    CheckDeregistration(String, String),
    /// An instance that was in the group has terminated.
    Terminated(String, String),
    /// Checks the group's instances and replaces unhealthy ones. Like every recurring event it carries the
    /// group's creation time, so that it doesn't apply to a later group of the same name.
    CheckHealth(String, Timestamp),
    /// The timeout of an instance's lifecycle action, identified by its token.
    HookTimeout(String, String, String),
    /// Counts the group's instances for its metrics.
    SampleMetrics(String, Timestamp),
    /// Evaluates the alarms that trigger the group's scaling policies.
    EvaluateAlarms(String, Timestamp),
    /// Advances a refresh, identified by its id, by one step.
    Refresh(String, String),
    /// Runs a scheduled action, unless it has been put again since (the number tells one put from the next).
    Scheduled(String, String, u64),
}

/// The activities of a deleted group.
#[derive(Debug, Clone, PartialEq)]
pub struct DeletedGroup {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its activities, oldest first.
    pub activities: Vec<Activity>,
}

impl DeletedGroup {
    pub(super) fn of(group: Group) -> DeletedGroup {
        DeletedGroup { name: group.name, arn: group.arn, activities: group.activities }
    }
}
