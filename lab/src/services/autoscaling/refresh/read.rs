//! Reads `RefreshPreferences`: ranges, defaults and rules of the API model and the user guide.

use std::time::Duration;

use super::super::errors::invalid;
use super::super::group::Group;
use super::preferences::{InstanceHandling, Preferences};
use crate::wire::{ApiResult, Value};

/// Reads the preferences of a request; omitted ones come from the group or are the defaults.
pub(super) fn preferences(group: &Group, input: &Value) -> ApiResult<Preferences> {
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
