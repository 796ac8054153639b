//! Metric alarms.

use std::time::Duration;

use jiff::Timestamp;

use super::data::validation;
use super::metrics::{MINUTE, Metric, floor};
use crate::services::paging;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// Alarms in one answer (API model).
const PAGE: i64 = 100;

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// The threshold is kept.
    Ok,
    /// It is breached.
    Alarm,
    /// Nothing is known.
    InsufficientData,
}

impl AlarmState {
    /// As the API writes it.
    pub fn name(self) -> &'static str {
        match self {
            AlarmState::Ok => "OK",
            AlarmState::Alarm => "ALARM",
            AlarmState::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// A metric alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// The settings as given to PutMetricAlarm.
    pub settings: Value,
    /// When it was last put.
    pub updated: Timestamp,
    /// A state that overrides the metric: set by SetAlarmState or a scenario. The real service
    /// would evaluate it away at the next minute; here it stays until it is set again.
    pub pinned: Option<(AlarmState, String)>,
}

/// The state of an alarm now; none if there is no such alarm.
pub fn alarm_state(world: &World, name: &str) -> Option<AlarmState> {
    let alarm = world.cloudwatch.alarms.get(name)?;
    Some(alarm.pinned.as_ref().map_or_else(|| evaluate(world, alarm), |(state, _)| *state))
}

/// Holds an alarm in a state, whatever its metric says; it is made if there is none.
pub fn pin_alarm(world: &mut World, name: &str, state: AlarmState) {
    let alarm = world.cloudwatch.alarms.entry(name.to_owned()).or_insert_with(|| Alarm {
        name: name.to_owned(),
        settings: map([]),
        updated: world.now,
        pinned: None,
    });
    alarm.pinned = Some((state, "Set by the scenario".to_owned()));
}

/// PutMetricAlarm.
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = input.need_str("AlarmName")?.to_owned();
    for key in ["ComparisonOperator", "EvaluationPeriods"] {
        if input.get(key).is_null() {
            return Err(validation(format!("The parameter {key} is required.")));
        }
    }
    let alarm =
        Alarm { name: name.clone(), settings: input.clone(), updated: world.now, pinned: None };
    world.cloudwatch.alarms.insert(name, alarm);
    Ok(map([]))
}

/// SetAlarmState.
pub(super) fn set_state(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = input.need_str("AlarmName")?;
    let state = match input.need_str("StateValue")? {
        "OK" => AlarmState::Ok,
        "ALARM" => AlarmState::Alarm,
        "INSUFFICIENT_DATA" => AlarmState::InsufficientData,
        other => return Err(validation(format!("StateValue '{other}' is not valid."))),
    };
    let reason = input.need_str("StateReason")?.to_owned();
    let alarm = world.cloudwatch.alarms.get_mut(name).ok_or_else(|| not_found(name))?;
    alarm.pinned = Some((state, reason));
    Ok(map([]))
}

/// DeleteAlarms: all or nothing.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let names = input.strings("AlarmNames");
    if let Some(missing) = names.iter().find(|n| !world.cloudwatch.alarms.contains_key(*n)) {
        return Err(not_found(missing));
    }
    names.iter().for_each(|name| {
        world.cloudwatch.alarms.remove(name);
    });
    Ok(map([]))
}

/// DescribeAlarms: metric alarms only unless `AlarmTypes` says otherwise, and then there are none
/// of the other kind.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let types = input.strings("AlarmTypes");
    let (names, prefix) = (input.strings("AlarmNames"), input.str("AlarmNamePrefix"));
    let wanted = |alarm: &&Alarm| {
        (types.is_empty() || types.iter().any(|t| t == "MetricAlarm"))
            && (names.is_empty() || names.contains(&alarm.name))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && input.str("StateValue").is_none_or(|state| {
                alarm_state(world, &alarm.name).is_some_and(|is| is.name() == state)
            })
    };
    let found = world.cloudwatch.alarms.values().filter(wanted).map(|a| write(world, a)).collect();
    let size = input.int("MaxRecords").unwrap_or(50).clamp(1, PAGE) as usize;
    let (found, next) = paging::page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([
        ("CompositeAlarms", Value::List(Vec::new())),
        ("MetricAlarms", found.into()),
        ("NextToken", next.into()),
    ]))
}

fn not_found(name: &str) -> ApiError {
    ApiError::sender("ResourceNotFound", format!("Alarm '{name}' does not exist.")).status(404)
}

/// Looks at the last `EvaluationPeriods` periods whose data have arrived.
fn evaluate(world: &World, alarm: &Alarm) -> AlarmState {
    let settings = &alarm.settings;
    let Ok(metric) = Metric::read(settings) else { return AlarmState::InsufficientData };
    let count = settings.int("EvaluationPeriods").unwrap_or(1).max(1);
    let needed = settings.int("DatapointsToAlarm").unwrap_or(count);
    let period = settings.int("Period").unwrap_or(MINUTE).max(MINUTE);
    let back = |seconds: i64| {
        let seconds = Duration::from_secs(seconds.unsigned_abs());
        world.now.checked_sub(seconds).unwrap_or(Timestamp::MIN)
    };
    let end = floor(back(world.params.metrics_delay.as_secs() as i64), period);
    let start = end.checked_sub(Duration::from_secs((period * count) as u64)).unwrap_or(end);
    let statistic =
        settings.str("Statistic").or(settings.str("ExtendedStatistic")).unwrap_or("Average");
    let threshold = threshold(settings).unwrap_or_default();
    let breaches = |value: f64| match settings.str("ComparisonOperator") {
        Some("GreaterThanThreshold") => value > threshold,
        Some("GreaterThanOrEqualToThreshold") => value >= threshold,
        Some("LessThanThreshold") => value < threshold,
        _ => value <= threshold,
    };
    let periods = metric.read_between(world, start, end, period);
    let values: Vec<f64> = periods.values().filter_map(|s| s.statistic(statistic)).collect();
    let missing = count - values.len() as i64;
    let breaching = values.iter().filter(|value| breaches(**value)).count() as i64;
    let missing_breach = settings.str("TreatMissingData") == Some("breaching");
    let missing_good = settings.str("TreatMissingData") == Some("notBreaching");
    match breaching + if missing_breach { missing } else { 0 } {
        bad if bad >= needed => AlarmState::Alarm,
        _ if values.is_empty() && !missing_good && !missing_breach => AlarmState::InsufficientData,
        _ => AlarmState::Ok,
    }
}

/// `Threshold`, native or as text.
pub(super) fn threshold(settings: &Value) -> Option<f64> {
    match settings.get("Threshold") {
        Value::Float(threshold) => Some(*threshold),
        Value::Int(threshold) => Some(*threshold as f64),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    }
}

fn write(world: &World, alarm: &Alarm) -> Value {
    let state = alarm_state(world, &alarm.name).unwrap_or(AlarmState::InsufficientData);
    let reason = match &alarm.pinned {
        Some((_, reason)) => reason.clone(),
        None => "Evaluated from its metric".to_owned(),
    };
    let arn = format!("arn:aws:cloudwatch:{}:{}:alarm:{}", world.region, world.account, alarm.name);
    let written = map([
        ("AlarmName", alarm.name.as_str().into()),
        ("AlarmArn", arn.into()),
        ("AlarmConfigurationUpdatedTimestamp", alarm.updated.into()),
        ("ActionsEnabled", alarm.settings.bool("ActionsEnabled").unwrap_or(true).into()),
        ("StateValue", state.name().into()),
        ("StateReason", reason.into()),
        ("StateUpdatedTimestamp", alarm.updated.into()),
    ]);
    let kept = [
        "AlarmDescription",
        "MetricName",
        "Namespace",
        "Statistic",
        "ExtendedStatistic",
        "Dimensions",
        "Unit",
        "ComparisonOperator",
        "TreatMissingData",
        "AlarmActions",
        "OKActions",
        "InsufficientDataActions",
        "Metrics",
    ];
    let numbers = ["Period", "EvaluationPeriods", "DatapointsToAlarm"];
    let written = kept.iter().fold(written, |w, key| w.with(key, alarm.settings.get(key).clone()));
    let written = numbers.iter().fold(written, |w, key| w.with(key, alarm.settings.int(key)));
    written.with("Threshold", threshold(&alarm.settings))
}
