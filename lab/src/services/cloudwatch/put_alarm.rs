//! PutMetricAlarm and the validation of its settings.

use super::alarm::Alarm;
use super::errors::validation;
use super::history_item::Change;
use super::queries::{self, Source};
use super::samples::{is_percentile, is_statistic};
use super::{history, tags};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most alarms in a Region (quota).
const QUOTA: usize = 5000;
/// The most actions of a state (API model).
const ACTIONS: usize = 5;
/// The longest time that an alarm may evaluate, in seconds (API model: one day, or a week for periods of an
/// hour and more).
const DAY: i64 = 86_400;

/// PutMetricAlarm: creates an alarm, or replaces the settings of an existing one, whose state is kept.
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = input.str("AlarmName").filter(|n| !n.is_empty() && n.chars().count() <= 255);
    let name = name
        .ok_or_else(|| validation("The parameter AlarmName must be 1 to 255 characters long."))?;
    check(input)?;
    let given = tags::read(input.list("Tags"))?;
    let known = world.cloudwatch.alarms.get(name);
    if known.is_none() && world.cloudwatch.alarms.len() >= QUOTA {
        return Err(ApiError::sender(
            "LimitExceeded",
            format!("The maximum number of alarms, {QUOTA}, has been reached."),
        ));
    }
    let kind = if known.is_some() { Change::Updated } else { Change::Created };
    let alarm = match known {
        Some(before) => Alarm { settings: input.clone(), updated: world.now, ..before.clone() },
        None => Alarm::new(name, input.clone(), world.now),
    };
    if kind == Change::Created && !given.is_empty() {
        let arn = alarm.arn(&world.region, &world.account);
        world.cloudwatch.tags.insert(arn, given);
    }
    history::record_change(world, name, kind);
    world.cloudwatch.alarms.insert(name.to_owned(), alarm);
    Ok(map([]))
}

fn check(input: &Value) -> ApiResult<()> {
    let operator = input.str("ComparisonOperator").ok_or_else(|| required("ComparisonOperator"))?;
    const OPERATORS: [&str; 4] = [
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
    ];
    const BANDS: [&str; 3] = [
        "LessThanLowerOrGreaterThanUpperThreshold",
        "LessThanLowerThreshold",
        "GreaterThanUpperThreshold",
    ];
    if BANDS.contains(&operator) {
        return Err(validation(format!(
            "ComparisonOperator {operator} requires an anomaly detection band, which the lab does not support."
        )));
    }
    one_of("comparisonOperator", operator, &OPERATORS)?;
    let periods = input.int("EvaluationPeriods").ok_or_else(|| required("EvaluationPeriods"))?;
    if periods < 1 {
        return Err(validation(format!(
            "1 validation error detected: Value '{periods}' at 'evaluationPeriods' failed to satisfy constraint: Member must have value greater than or equal to 1"
        )));
    }
    let needed = input.int("DatapointsToAlarm").unwrap_or(periods);
    if !(1..=periods).contains(&needed) {
        return Err(validation(
            "Datapoints to alarm must be less than or equal to evaluation periods.",
        ));
    }
    if let Some(treat) = input.str("TreatMissingData") {
        one_of("treatMissingData", treat, &["breaching", "notBreaching", "ignore", "missing"])?;
    }
    if input.get("Threshold").is_null() {
        return Err(required("Threshold"));
    }
    for key in ["AlarmActions", "OKActions", "InsufficientDataActions"] {
        let actions = input.strings(key);
        if actions.len() > ACTIONS {
            return Err(validation(format!("{key} may hold at most {ACTIONS} actions.")));
        }
        if let Some(strange) = actions.iter().find(|action| !action.starts_with("arn:")) {
            return Err(validation(format!("Invalid arn syntax: {strange}")));
        }
    }
    let period = if input.get("Metrics").is_null() { metric(input)? } else { math(input)? };
    let span = period.saturating_mul(periods);
    let longest = if period >= 3600 { 7 * DAY } else { DAY };
    if span > longest {
        return Err(validation(format!(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= {longest})."
        )));
    }
    Ok(())
}

/// Validates an alarm on one metric, and returns its period.
fn metric(input: &Value) -> ApiResult<i64> {
    for key in ["MetricName", "Namespace", "Period"] {
        if input.get(key).is_null() {
            return Err(required(key));
        }
    }
    match (input.str("Statistic"), input.str("ExtendedStatistic")) {
        (Some(statistic), None) => one_of(
            "statistic",
            statistic,
            &["SampleCount", "Average", "Sum", "Minimum", "Maximum"],
        )?,
        (None, Some(statistic)) if is_percentile(statistic) => {}
        (None, Some(statistic)) => {
            return Err(validation(format!(
                "The value {statistic} for parameter ExtendedStatistic is not supported."
            )));
        }
        _ => {
            return Err(validation(
                "Exactly one of Statistic and ExtendedStatistic must be specified.",
            ));
        }
    }
    let period = input.int("Period").unwrap_or_default();
    if matches!(period, 10 | 20 | 30) || (period > 0 && period % 60 == 0) {
        return Ok(period);
    }
    Err(validation(format!(
        "The parameter Period must be 10, 20, 30, or a multiple of 60, and is '{period}'."
    )))
}

/// Validates an alarm on metric math, of which one query returns data, and returns its period.
fn math(input: &Value) -> ApiResult<i64> {
    for key in ["MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period"]
    {
        let given = input.get(key);
        if !given.is_null() && !matches!(given, Value::List(items) if items.is_empty()) {
            return Err(validation(format!("{key} must not be set if Metrics is set.")));
        }
    }
    let queries = queries::read(input.list("Metrics"))?;
    let wanted: Vec<_> = queries.iter().filter(|query| query.return_data).collect();
    let [wanted] = wanted.as_slice() else {
        return Err(validation("Exactly one element of the metrics list should return data."));
    };
    let periods = queries.iter().filter_map(|query| match &query.source {
        Source::Metric { period, statistic, .. } if is_statistic(statistic) => Some(*period),
        Source::Metric { .. } => None,
        Source::Expression { period, .. } => *period,
    });
    let longest = periods.max();
    longest.ok_or_else(|| {
        validation(format!("Period must be set for the expression '{}'.", wanted.id))
    })
}

fn one_of(member: &str, value: &str, good: &[&str]) -> ApiResult<()> {
    if good.contains(&value) {
        return Ok(());
    }
    Err(validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
        good.join(", ")
    )))
}

fn required(key: &str) -> ApiError {
    validation(format!("The parameter {key} is required."))
}
