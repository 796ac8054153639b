//! Metric alarms and their states.
//!
//! A state is not stored but computed from the metric data that had arrived at a time, unless it was set
//! explicitly. So time can pass without any alarm events.

use std::time::Duration;

use super::alarm::{Alarm, AlarmState, StateOverride, threshold};
use super::errors::validation;
use super::evaluate::Evaluation;
use super::history;
use super::history_item::Change;
use super::metric::Metric;
use super::period::{MINUTE, floor};
use crate::services::paging;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{World, later};

/// Returns the current state of an alarm; none if there is no such alarm.
pub fn alarm_state(world: &World, name: &str) -> Option<AlarmState> {
    world.cloudwatch.alarms.get(name).map(|alarm| alarm.at(world, world.now).state)
}

/// Holds an alarm in a state, whatever its metric says; creates it if it doesn't exist.
pub fn pin_alarm(world: &mut World, name: &str, state: AlarmState) {
    let now = world.now;
    let alarm = world.cloudwatch.alarms.entry(name.to_owned());
    let alarm = alarm.or_insert_with(|| Alarm::new(name, map([]), now));
    let reason = "Set by the scenario".to_owned();
    alarm.overrides.push(StateOverride { at: now, until: None, state, reason });
}

/// SetAlarmState: holds until the next evaluation, in the next minute (user guide: the alarm returns to its
/// actual state quickly).
pub(super) fn set_state(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = input.str("AlarmName").unwrap_or_default();
    let state = match input.str("StateValue").unwrap_or_default() {
        "OK" => AlarmState::Ok,
        "ALARM" => AlarmState::Alarm,
        "INSUFFICIENT_DATA" => AlarmState::InsufficientData,
        other => {
            return Err(validation(format!(
                "1 validation error detected: Value '{other}' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
            )));
        }
    };
    let reason = input.str("StateReason");
    let reason = reason.ok_or_else(|| validation("The parameter StateReason is required."))?;
    if reason.chars().count() > 1023 {
        return Err(validation("StateReason must have at most 1023 characters."));
    }
    if let Some(data) = input.str("StateReasonData")
        && serde_json::from_str::<serde_json::Value>(data).is_err()
    {
        return Err(ApiError::sender("InvalidFormat", "StateReasonData is not valid JSON."));
    }
    let now = world.now;
    let next = later(floor(now, MINUTE), Duration::from_secs(MINUTE as u64));
    let alarm = world.cloudwatch.alarms.get_mut(name).ok_or_else(not_found)?;
    // A state held by a scenario stays held.
    let held = alarm.overrides.last().is_some_and(|set| set.until.is_none());
    let until = if held { None } else { Some(next) };
    alarm.overrides.push(StateOverride { at: now, until, state, reason: reason.to_owned() });
    Ok(map([]))
}

/// EnableAlarmActions and DisableAlarmActions. Unknown names are ignored.
pub(super) fn enable_actions(world: &mut World, input: &Value, on: bool) -> ApiResult<Value> {
    for name in input.strings("AlarmNames") {
        if let Some(alarm) = world.cloudwatch.alarms.get_mut(&name) {
            if let Value::Map(members) = &mut alarm.settings {
                members.retain(|(key, _)| key != "ActionsEnabled");
                members.push(("ActionsEnabled".into(), on.into()));
            }
            alarm.updated = world.now;
            history::record_change(world, &name, Change::Updated);
        }
    }
    Ok(map([]))
}

/// DeleteAlarms: all of them, or none if one doesn't exist.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let names = input.strings("AlarmNames");
    if names.is_empty() || names.len() > 100 {
        return Err(validation("The collection AlarmNames must hold 1 to 100 names."));
    }
    if names.iter().any(|name| !world.cloudwatch.alarms.contains_key(name)) {
        return Err(not_found());
    }
    for name in &names {
        history::close(world, name);
        if let Some(alarm) = world.cloudwatch.alarms.remove(name) {
            let arn = alarm.arn(&world.region, &world.account);
            world.cloudwatch.tags.remove(&arn);
        }
    }
    Ok(map([]))
}

/// DescribeAlarms: metric alarms only, unless `AlarmTypes` excludes them; the lab has no composite alarms.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let types = input.strings("AlarmTypes");
    let (names, prefix) = (input.strings("AlarmNames"), input.str("AlarmNamePrefix"));
    if !names.is_empty() && prefix.is_some() {
        return Err(validation("AlarmNames and AlarmNamePrefix cannot be used together."));
    }
    let size = match input.int("MaxRecords") {
        None => 50,
        Some(size @ 1..=100) => size as usize,
        Some(size) => {
            return Err(validation(format!(
                "1 validation error detected: Value '{size}' at 'maxRecords' failed to satisfy constraint: Member must have value less than or equal to 100"
            )));
        }
    };
    let (state, action) = (input.str("StateValue"), input.str("ActionPrefix"));
    let wanted = |alarm: &&Alarm| {
        (types.is_empty() || types.iter().any(|t| t == "MetricAlarm"))
            && (names.is_empty() || names.contains(&alarm.name))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && action.is_none_or(|prefix| actions(alarm).any(|a| a.starts_with(prefix)))
            && state.is_none_or(|state| alarm.at(world, world.now).state.name() == state)
    };
    let found: Vec<String> =
        world.cloudwatch.alarms.values().filter(wanted).map(|a| a.name.clone()).collect();
    let (found, next) = paging::page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    let found: Vec<Value> = found.iter().map(|name| write(world, name)).collect();
    Ok(map([
        ("CompositeAlarms", Value::List(Vec::new())),
        ("MetricAlarms", found.into()),
        ("NextToken", next.into()),
    ]))
}

/// DescribeAlarmsForMetric.
pub(super) fn describe_for_metric(world: &mut World, input: &Value) -> ApiResult<Value> {
    let metric = Metric::read(input)?;
    let same = |alarm: &&Alarm| {
        let equal = |key: &str| input.str(key).is_none_or(|w| alarm.settings.str(key) == Some(w));
        Metric::read(&alarm.settings).is_ok_and(|of| of == metric)
            && equal("Statistic")
            && equal("ExtendedStatistic")
            && input.int("Period").is_none_or(|p| alarm.settings.int("Period") == Some(p))
    };
    let found: Vec<String> =
        world.cloudwatch.alarms.values().filter(same).map(|a| a.name.clone()).collect();
    let found: Vec<Value> = found.iter().map(|name| write(world, name)).collect();
    Ok(map([("MetricAlarms", found.into())]))
}

fn actions(alarm: &Alarm) -> impl Iterator<Item = String> + '_ {
    let keys = ["AlarmActions", "OKActions", "InsufficientDataActions"];
    keys.into_iter().flat_map(|key| alarm.settings.strings(key))
}

fn not_found() -> ApiError {
    ApiError::sender("ResourceNotFound", "Unknown alarm").status(404)
}

fn write(world: &mut World, name: &str) -> Value {
    let since = history::since(world, name);
    let Some(alarm) = world.cloudwatch.alarms.get(name) else { return Value::Null };
    let Evaluation { state, reason } = alarm.at(world, world.now);
    let written = map([
        ("AlarmName", alarm.name.as_str().into()),
        ("AlarmArn", alarm.arn(&world.region, &world.account).into()),
        ("AlarmConfigurationUpdatedTimestamp", alarm.updated.into()),
        ("ActionsEnabled", alarm.settings.bool("ActionsEnabled").unwrap_or(true).into()),
        ("StateValue", state.name().into()),
        ("StateReason", reason.chars().take(1023).collect::<String>().into()),
        ("StateUpdatedTimestamp", since.into()),
        ("StateTransitionedTimestamp", since.into()),
    ]);
    let texts = [
        "AlarmDescription",
        "MetricName",
        "Namespace",
        "Statistic",
        "ExtendedStatistic",
        "Unit",
        "ComparisonOperator",
        "TreatMissingData",
        "EvaluateLowSampleCountPercentile",
    ];
    let lists = ["Dimensions", "AlarmActions", "OKActions", "InsufficientDataActions"];
    let numbers = ["Period", "EvaluationPeriods", "DatapointsToAlarm"];
    let settings = &alarm.settings;
    let written = texts.iter().fold(written, |w, key| w.with(key, settings.get(key).clone()));
    let written = lists.iter().fold(written, |w, key| w.with(key, settings.list(key).to_vec()));
    let written = numbers.iter().fold(written, |w, key| w.with(key, settings.int(key)));
    let metrics = settings.list("Metrics");
    let metrics = (!metrics.is_empty()).then(|| Value::List(metrics.iter().map(typed).collect()));
    written.with("Metrics", metrics).with("Threshold", threshold(settings))
}

/// Returns a query with its scalars typed, since a form-encoded request has them all as text.
fn typed(query: &Value) -> Value {
    let stat = query.get("MetricStat");
    let stat = if stat.is_null() {
        Value::Null
    } else {
        map([
            ("Metric", stat.get("Metric").clone()),
            ("Period", stat.int("Period").into()),
            ("Stat", stat.get("Stat").clone()),
            ("Unit", stat.get("Unit").clone()),
        ])
    };
    map([
        ("Id", query.get("Id").clone()),
        ("MetricStat", stat),
        ("Expression", query.get("Expression").clone()),
        ("Label", query.get("Label").clone()),
        ("ReturnData", query.bool("ReturnData").unwrap_or(true).into()),
        ("Period", query.int("Period").into()),
    ])
}
