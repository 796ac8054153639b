//! `RefreshPreferences`: ranges, defaults and rules of the API model and the user guide.

use std::time::Duration;

use crate::services::autoscaling::{Group, invalid};
use crate::wire::{ApiResult, Value, map};

/// What a refresh does with instances that it may not simply replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Replaces them all the same: `Refresh` for protected ones, `Terminate` for those in standby.
    Replace,
    /// Leaves them.
    Ignore,
    /// Waits until they are free, and fails in the end.
    Wait,
}

/// How a refresh replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// At least so many per cent of the desired capacity stay available.
    pub min_healthy: u64,
    /// At most so many per cent are there at once; left out, 100 is meant, but not the same.
    pub max_healthy: Option<u64>,
    /// From InService to counting as available.
    pub warmup: Duration,
    /// Where to stop and wait, in per cent.
    pub checkpoints: Vec<u64>,
    /// For how long.
    pub checkpoint_delay: Duration,
    /// How long to watch when all is replaced.
    pub bake: Duration,
    /// Whether to leave instances that are as desired already.
    pub skip_matching: bool,
    /// Whether a failure rolls back.
    pub auto_rollback: bool,
    /// Protected instances.
    pub protected: Others,
    /// Instances in standby.
    pub standby: Others,
    /// Alarms that end it.
    pub alarms: Vec<String>,
}

impl Preferences {
    /// Reads the preferences of a request; what they leave out comes from the group or is the default.
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

    /// As an answer has them: with the defaults filled in, but a maximum only where there is one.
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

fn others(input: &Value, key: &str, replace: &str) -> ApiResult<Others> {
    match input.str(key) {
        None | Some("Wait") => Ok(Others::Wait),
        Some("Ignore") => Ok(Others::Ignore),
        Some(value) if value == replace => Ok(Others::Replace),
        Some(value) => Err(invalid(format!("{value} is not a valid value of {key}"))),
    }
}

fn name(others: Others, replace: &'static str) -> &'static str {
    match others {
        Others::Replace => replace,
        Others::Ignore => "Ignore",
        Others::Wait => "Wait",
    }
}
