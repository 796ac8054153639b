//! The preferences of a refresh, as data.

use std::time::Duration;

use crate::wire::{Value, map};

/// What a refresh does with instances that are protected from scale-in or in standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceHandling {
    /// Replaces them anyway: `Refresh` for protected instances, `Terminate` for those in standby.
    Replace,
    /// Leaves them as they are.
    Ignore,
    /// Waits until they may be replaced, and fails in the end.
    Wait,
}

/// The preferences of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// MinHealthyPercentage: the percentage of DesiredCapacity that stays available.
    pub min_healthy: u64,
    /// MaxHealthyPercentage: the percentage of DesiredCapacity that may exist at once. Unset means 100, but
    /// unlike an explicit 100 it doesn't launch before terminating.
    pub max_healthy: Option<u64>,
    /// InstanceWarmup: the time from InService until an instance counts as available.
    pub warmup: Duration,
    /// CheckpointPercentages.
    pub checkpoints: Vec<u64>,
    /// CheckpointDelay: how long to wait at each checkpoint.
    pub checkpoint_delay: Duration,
    /// BakeTime: how long to wait after everything is replaced.
    pub bake: Duration,
    /// SkipMatching: whether to leave instances that already match.
    pub skip_matching: bool,
    /// AutoRollback: whether a failure rolls back.
    pub auto_rollback: bool,
    /// How instances that are protected from scale-in are handled.
    pub protected: InstanceHandling,
    /// How instances in standby are handled.
    pub standby: InstanceHandling,
    /// The alarms that fail the refresh.
    pub alarms: Vec<String>,
}

impl Preferences {
    /// Returns the preferences as a response has them: with defaults filled in, but MaxHealthyPercentage only
    /// if set.
    pub(super) fn to_value(&self) -> Value {
        let seconds = |d: Duration| Value::Int(i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
        let percent = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
        let checkpoints: Vec<Value> = self.checkpoints.iter().copied().map(percent).collect();
        let alarms: Vec<Value> = self.alarms.iter().map(|a| a.as_str().into()).collect();
        let given = |yes: bool, value: Value| if yes { value } else { Value::Null };
        map([
            ("MinHealthyPercentage", percent(self.min_healthy)),
            ("InstanceWarmup", seconds(self.warmup)),
            ("CheckpointPercentages", given(!checkpoints.is_empty(), checkpoints.into())),
            (
                "CheckpointDelay",
                given(!self.checkpoints.is_empty(), seconds(self.checkpoint_delay)),
            ),
            ("SkipMatching", self.skip_matching.into()),
            ("AutoRollback", self.auto_rollback.into()),
            ("ScaleInProtectedInstances", name(self.protected, "Refresh").into()),
            ("StandbyInstances", name(self.standby, "Terminate").into()),
            (
                "AlarmSpecification",
                given(!self.alarms.is_empty(), map([("Alarms", alarms.into())])),
            ),
            ("MaxHealthyPercentage", self.max_healthy.map_or(Value::Null, percent)),
            ("BakeTime", seconds(self.bake)),
        ])
    }
}

fn name(others: InstanceHandling, replace: &'static str) -> &'static str {
    match others {
        InstanceHandling::Replace => replace,
        InstanceHandling::Ignore => "Ignore",
        InstanceHandling::Wait => "Wait",
    }
}
