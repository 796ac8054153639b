//! `RefreshPreferences`: ranges, defaults and rules of the API model and the user guide.

use std::time::Duration;

use super::super::errors::invalid;
use super::super::group::Group;
use crate::wire::{ApiResult, Value, map};

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
    /// Reads the preferences of a request; omitted ones come from the group or are the defaults.
    pub(super) fn read(group: &Group, input: &Value) -> ApiResult<Preferences> {
        let policy = |n: i64| u64::try_from(n).ok();
        let (policy_min, policy_max) =
            group.maintenance.map_or((None, None), |(min, max)| (policy(min), policy(max)));
        let min = ranged(input, "MinHealthyPercentage", 0, 100)?;
        let max = ranged(input, "MaxHealthyPercentage", 100, 200)?;
        if max.is_some() && min.is_none() {
            return Err(invalid(
                "MinHealthyPercentage must be specified when MaxHealthyPercentage is specified.",
            ));
        }
        let min_healthy = min.or(policy_min).unwrap_or(90);
        let max_healthy = max.or(policy_max);
        if max_healthy.is_some_and(|max| max - min_healthy > 100) {
            return Err(invalid(
                "The difference between MaxHealthyPercentage and MinHealthyPercentage must be less than or equal to 100.",
            ));
        }
        let warmup =
            ranged(input, "InstanceWarmup", 0, u64::MAX)?.or(group.warmup).unwrap_or(group.grace);
        let checkpoints = checkpoints(input)?;
        let delay = ranged(input, "CheckpointDelay", 0, 172_800)?;
        if delay.is_some() && checkpoints.is_empty() {
            return Err(invalid(
                "CheckpointPercentages must be specified when CheckpointDelay is specified.",
            ));
        }
        let alarms = input.get("AlarmSpecification").strings("Alarms");
        if alarms.len() > 10 {
            return Err(invalid("At most 10 alarms can be specified."));
        }
        Ok(Preferences {
            min_healthy,
            max_healthy,
            warmup: Duration::from_secs(warmup),
            checkpoints,
            checkpoint_delay: Duration::from_secs(delay.unwrap_or(3600)),
            bake: Duration::from_secs(ranged(input, "BakeTime", 0, 172_800)?.unwrap_or(0)),
            skip_matching: input.bool("SkipMatching").unwrap_or(false),
            auto_rollback: input.bool("AutoRollback").unwrap_or(false),
            protected: others(input, "ScaleInProtectedInstances", "Refresh")?,
            standby: others(input, "StandbyInstances", "Terminate")?,
            alarms,
        })
    }

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

fn ranged(input: &Value, key: &str, low: u64, high: u64) -> ApiResult<Option<u64>> {
    let outside = || invalid(format!("{key} must be between {low} and {high}"));
    if input.get(key).is_null() {
        return Ok(None);
    }
    let number = input.int(key).and_then(|n| u64::try_from(n).ok()).ok_or_else(outside)?;
    if (low..=high).contains(&number) { Ok(Some(number)) } else { Err(outside()) }
}

fn checkpoints(input: &Value) -> ApiResult<Vec<u64>> {
    let mut percentages = Vec::new();
    for item in input.list("CheckpointPercentages") {
        let percent = match item {
            Value::Int(n) => u64::try_from(*n).ok(),
            Value::Str(text) => text.parse().ok(),
            _ => None,
        };
        match percent.filter(|percent| (1..=100).contains(percent)) {
            Some(percent) => percentages.push(percent),
            None => return Err(invalid("Checkpoint percentages must be between 1 and 100.")),
        }
    }
    if percentages.is_sorted_by(|a, b| a < b) {
        Ok(percentages)
    } else {
        Err(invalid("Checkpoint percentages must be sorted in ascending order with no duplicates."))
    }
}

fn others(input: &Value, key: &str, replace: &str) -> ApiResult<InstanceHandling> {
    match input.str(key) {
        None | Some("Wait") => Ok(InstanceHandling::Wait),
        Some("Ignore") => Ok(InstanceHandling::Ignore),
        Some(value) if value == replace => Ok(InstanceHandling::Replace),
        Some(value) => Err(invalid(format!("{value} is not a valid value of {key}"))),
    }
}

fn name(others: InstanceHandling, replace: &'static str) -> &'static str {
    match others {
        InstanceHandling::Replace => replace,
        InstanceHandling::Ignore => "Ignore",
        InstanceHandling::Wait => "Wait",
    }
}
