//! DescribeAlarmHistory: configuration changes and state changes of alarms. State changes are found by
//! evaluating the metric minute by minute.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::alarm::{Alarm, AlarmState};
use super::errors::validation;
use super::history_item::{Change, Item};
use super::period::{MINUTE, floor};
use crate::services::paging;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// How far back state changes are searched, in minutes; CloudWatch keeps 30 days.
const BACK: usize = 7 * 1440;

/// Records a configuration change.
pub(super) fn record_change(world: &mut World, alarm: &str, change: Change) {
    let (summary, kind) = match change {
        Change::Created => ("created", "Create"),
        Change::Updated => ("updated", "Update"),
        Change::Deleted => ("deleted", "Delete"),
    };
    let item = Item {
        alarm: alarm.to_owned(),
        at: world.now,
        kind: "ConfigurationUpdate",
        summary: format!("Alarm \"{alarm}\" {summary}"),
        data: json!({ "version": "1.0", "type": kind }).to_string(),
    };
    world.cloudwatch.history.push(item);
}

/// Preserves the history of an alarm that is about to be deleted.
pub(super) fn close(world: &mut World, name: &str) {
    let states = world.cloudwatch.alarms.get(name).map(|alarm| state_changes(world, alarm));
    world.cloudwatch.history.extend(states.into_iter().flatten());
    record_change(world, name, Change::Deleted);
}

/// Returns when an alarm entered its current state.
pub(super) fn since(world: &mut World, name: &str) -> Option<Timestamp> {
    let alarm = world.cloudwatch.alarms.get(name)?;
    let (now, state) = (world.now, alarm.at(world, world.now).state);
    // If the last reader saw the same state, only the time since then has to be searched.
    let (known, since) = match alarm.last_transition {
        Some((seen, since, was)) if was == state => (seen, since),
        _ => (alarm.created, alarm.created),
    };
    let mut found = since;
    for at in moments(alarm, now) {
        if at <= known {
            break;
        }
        if alarm.at(world, before(at)).state != state {
            found = at;
            break;
        }
    }
    if let Some(alarm) = world.cloudwatch.alarms.get_mut(name) {
        alarm.last_transition = Some((now, found, state));
    }
    Some(found)
}

/// Returns the times at which an alarm's state can have changed, newest first.
fn moments(alarm: &Alarm, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let minute = Duration::from_secs(MINUTE as u64);
    let minutes =
        std::iter::successors(Some(floor(now, MINUTE)), move |at| at.checked_sub(minute).ok());
    let created = alarm.created;
    let mut all: Vec<Timestamp> = minutes.take(BACK).take_while(|at| *at > created).collect();
    all.extend(alarm.overrides.iter().map(|set| set.at).filter(|at| *at <= now));
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.dedup();
    all.into_iter()
}

fn before(at: Timestamp) -> Timestamp {
    at.checked_sub(Duration::from_millis(1)).unwrap_or(at)
}

/// Returns an alarm's state changes, oldest first.
fn state_changes(world: &World, alarm: &Alarm) -> Vec<Item> {
    let mut items = Vec::new();
    let mut moments: Vec<Timestamp> = moments(alarm, world.now).collect();
    moments.reverse();
    let mut state = AlarmState::InsufficientData;
    for at in moments {
        let now = alarm.at(world, at);
        if now.state == state {
            continue;
        }
        let (old, new) = (state.name(), now.state.name());
        let reported =
            |state: &str, reason: &str| json!({ "stateValue": state, "stateReason": reason });
        let data = json!({
            "version": "1.0",
            "oldState": reported(old, &alarm.at(world, before(at)).reason),
            "newState": reported(new, &now.reason),
        });
        items.push(Item {
            alarm: alarm.name.clone(),
            at,
            kind: "StateUpdate",
            summary: format!("Alarm updated from {old} to {new}"),
            data: data.to_string(),
        });
        state = now.state;
    }
    items
}

/// DescribeAlarmHistory: newest first, unless `ScanBy` says otherwise.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let size = match input.int("MaxRecords") {
        None => 100,
        Some(size @ 1..=100) => size as usize,
        Some(size) => {
            return Err(validation(format!(
                "1 validation error detected: Value '{size}' at 'maxRecords' failed to satisfy constraint: Member must have value less than or equal to 100"
            )));
        }
    };
    let (name, kind) = (input.str("AlarmName"), input.str("HistoryItemType"));
    let types = input.strings("AlarmTypes");
    let (start, end) = (input.time("StartDate"), input.time("EndDate"));
    let alarms = world.cloudwatch.alarms.values();
    let wanted = alarms.filter(|alarm| name.is_none_or(|name| alarm.name == name));
    let states = wanted.flat_map(|alarm| state_changes(world, alarm));
    let mut items: Vec<Item> = world.cloudwatch.history.iter().cloned().chain(states).collect();
    items.retain(|item| {
        name.is_none_or(|name| item.alarm == name)
            && kind.is_none_or(|kind| item.kind == kind)
            && (types.is_empty() || types.iter().any(|t| t == "MetricAlarm"))
            && start.is_none_or(|start| item.at >= start)
            && end.is_none_or(|end| item.at <= end)
    });
    items.sort_by_key(|item| item.at);
    if input.str("ScanBy") != Some("TimestampAscending") {
        items.reverse();
    }
    let (items, next) = paging::page(items, input.str("NextToken"), size, "InvalidNextToken")?;
    let written = items.iter().map(|item| {
        map([
            ("AlarmName", item.alarm.as_str().into()),
            ("AlarmType", "MetricAlarm".into()),
            ("Timestamp", item.at.into()),
            ("HistoryItemType", item.kind.into()),
            ("HistorySummary", item.summary.as_str().into()),
            ("HistoryData", item.data.as_str().into()),
        ])
    });
    Ok(map([("AlarmHistoryItems", Value::List(written.collect())), ("NextToken", next.into())]))
}
