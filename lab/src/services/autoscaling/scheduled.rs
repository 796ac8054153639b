//! Scheduled actions: changes of a group's sizes at a time, once or recurring.

use std::time::Duration;

use jiff::Timestamp;

use super::activities::stamp;
use super::capacity::{self, number};
use super::errors::{invalid, not_found};
use super::group::Group;
use super::groups;
use super::recurrence::Recurrence;
use super::request::{group_to_update, max_records, named};
use super::scheduled_action::ScheduledAction;
use super::state::Event;
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{self, World, later};

/// The most scheduled actions of a group (quota).
const QUOTA: usize = 125;
/// The most actions in one batch (API model).
const BATCH: usize = 50;

/// `PutScheduledUpdateGroupAction`: creates or updates by name.
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = group_to_update(world, input)?.name.clone();
    put_one(world, &name, input)?;
    Ok(Value::Null)
}

/// `BatchPutScheduledUpdateGroupAction`: each action on its own; failed ones are listed.
pub(super) fn put_batch(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = named(world, input)?.name.clone();
    let actions = batch(input.list("ScheduledUpdateGroupActions"))?;
    let mut failed = Vec::new();
    for action in actions {
        if let Err(error) = put_one(world, &name, action) {
            failed.push(failure(action.str("ScheduledActionName").unwrap_or_default(), &error));
        }
    }
    Ok(map([("FailedScheduledUpdateGroupActions", failed.into())]))
}

/// `DeleteScheduledAction`.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = input.need_str("ScheduledActionName")?;
    delete_one(named(world, input)?, name)?;
    Ok(Value::Null)
}

/// `BatchDeleteScheduledAction`: each action on its own; failed ones are listed.
pub(super) fn delete_batch(world: &mut World, input: &Value) -> ApiResult<Value> {
    let names = input.strings("ScheduledActionNames");
    batch(&names)?;
    let group = named(world, input)?;
    let mut failed = Vec::new();
    for name in &names {
        if let Err(error) = delete_one(group, name) {
            failed.push(failure(name, &error));
        }
    }
    Ok(map([("FailedScheduledActions", failed.into())]))
}

fn batch<T>(items: &[T]) -> ApiResult<&[T]> {
    if items.is_empty() || items.len() > BATCH {
        return Err(invalid(format!("Between 1 and {BATCH} scheduled actions are required")));
    }
    Ok(items)
}

fn failure(name: &str, error: &ApiError) -> Value {
    map([
        ("ScheduledActionName", name.into()),
        ("ErrorCode", error.code.as_str().into()),
        ("ErrorMessage", error.message.as_str().into()),
    ])
}

fn delete_one(group: &mut Group, name: &str) -> ApiResult<()> {
    match group.scheduled.remove(name) {
        Some(_) => Ok(()),
        None => Err(invalid(format!("Scheduled action name not found: {name}"))),
    }
}

fn put_one(world: &mut World, group_name: &str, input: &Value) -> ApiResult<()> {
    let now = world.now;
    let uuid = world.ids.uuid();
    let put = world.ids.bits();
    let Some(group) = world.autoscaling.groups.get(group_name) else {
        return Err(not_found(group_name));
    };
    let name = input.need_str("ScheduledActionName")?.to_owned();
    let (min, max, desired) =
        (number(input, "MinSize")?, number(input, "MaxSize")?, number(input, "DesiredCapacity")?);
    if (min, max, desired) == (None, None, None) {
        return Err(invalid(
            "At least one of MinSize, MaxSize or DesiredCapacity must be specified.",
        ));
    }
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        return Err(invalid("MinSize must not be greater than MaxSize."));
    }
    let recurs = input
        .str("Recurrence")
        .map(|text| Recurrence::read(text, input.str("TimeZone")))
        .transpose()?;
    let start = first(input, recurs.as_ref(), now)?;
    let end = input.time("EndTime");
    if end.is_some_and(|end| end <= start) {
        return Err(invalid("Given end time must be after the start time."));
    }
    let clashes = |other: &ScheduledAction| other.start == start && other.name != name;
    if group.scheduled.values().any(clashes) {
        // The user guide requires unique times; the error code is a guess.
        return Err(ApiError::sender(
            "AlreadyExists",
            "Another scheduled action of this group has the same start time.",
        ));
    }
    if group.scheduled.len() >= QUOTA && !group.scheduled.contains_key(&name) {
        return Err(ApiError::sender(
            "LimitExceeded",
            format!("A group can have at most {QUOTA} scheduled actions."),
        ));
    }
    let arn = group.scheduled.get(&name).map_or_else(
        || format!(
            "arn:aws:autoscaling:{}:{}:scheduledUpdateGroupAction:{uuid}:autoScalingGroupName/{group_name}:scheduledActionName/{name}",
            world.region, world.account
        ),
        |before| before.arn.clone(),
    );
    let action = ScheduledAction {
        name: name.clone(),
        arn,
        start,
        end,
        recurs,
        min,
        max,
        desired,
        generation: put,
    };
    if let Some(group) = world.autoscaling.groups.get_mut(group_name) {
        group.scheduled.insert(name.clone(), action);
    }
    await_start(world, group_name, &name, start, put);
    Ok(())
}

/// Returns when an action first runs: at its start time, whatever its recurrence (API model), or else at the
/// first time of its recurrence.
fn first(input: &Value, recurs: Option<&Recurrence>, now: Timestamp) -> ApiResult<Timestamp> {
    match (input.time("StartTime").or(input.time("Time")), recurs) {
        (None, None) => Err(invalid("StartTime or Recurrence must be specified.")),
        (Some(start), _) if start <= now => Err(invalid("Given start time is in the past.")),
        (Some(start), _) => Ok(start),
        (None, Some(recurs)) => recurs.after(now).ok_or_else(|| {
            invalid(format!("Given recurrence string: {} is never due", recurs.text))
        }),
    }
}

/// Schedules the action to run at its start time, or up to two minutes later (user guide).
fn await_start(world: &mut World, group: &str, action: &str, start: Timestamp, put: u64) {
    let late = world.rng.between(Duration::ZERO, world.params.scheduled_action_delay);
    let event = Event::Scheduled(group.to_owned(), action.to_owned(), put);
    world.queue.push(later(start, late), world::Event::Autoscaling(event));
}

/// `DescribeScheduledActions`: of one group or all, within a time range if one is given. If names are given,
/// the times are ignored (API model).
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let only = match input.str("AutoScalingGroupName") {
        Some(_) => Some(named(world, input)?.name.clone()),
        None => None,
    };
    let names = input.strings("ScheduledActionNames");
    let (from, until) = (input.time("StartTime"), input.time("EndTime"));
    let found = world
        .autoscaling
        .groups
        .values()
        .filter(|group| only.as_ref().is_none_or(|name| *name == group.name))
        .flat_map(|group| group.scheduled.values().map(move |action| (group, action)))
        .filter(|(_, action)| match names.is_empty() {
            true => {
                from.is_none_or(|from| action.start >= from)
                    && until.is_none_or(|until| action.start <= until)
            }
            false => names.contains(&action.name) || names.contains(&action.arn),
        })
        .map(|(group, action)| to_value(group, action))
        .collect();
    let size = max_records(input, 50, 100)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("ScheduledUpdateGroupActions", items.into()), ("NextToken", next.into())]))
}

/// Runs an action that is due, unless it was deleted or put again, or the process is suspended. A recurring
/// one is scheduled again.
pub(super) fn run(world: &mut World, name: &str, action: &str, put: u64) {
    let at = stamp(world.now);
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    if group.scheduled.get(action).is_none_or(|action| action.generation != put) {
        return;
    }
    let Some(action) = group.scheduled.remove(action) else { return };
    let runs = group.is_process_active("ScheduledActions");
    let next = action.recurs.as_ref().and_then(|recurs| recurs.after(action.start));
    if let Some(start) = next.filter(|next| action.end.is_none_or(|end| *next <= end)) {
        let again = ScheduledAction { start, ..action.clone() };
        group.scheduled.insert(action.name.clone(), again);
        await_start(world, name, &action.name, start, put);
    }
    let Some(group) = world.autoscaling.groups.get_mut(name).filter(|_| runs) else { return };
    let mut changed = group.clone();
    // Sizes that conflict with the group's other sizes change nothing (a guess: AWS logs a failure).
    if groups::resize(&mut changed, action.min, action.max, action.desired).is_err() {
        return;
    }
    changed.reason = Some(format!(
        "At {at} a scheduled action update of AutoScalingGroup constraints to min: {}, max: {}, desired: {} changing the desired capacity from {} to {}.",
        changed.min, changed.max, changed.desired, group.desired, changed.desired
    ));
    *group = changed;
    capacity::converge_soon(world, name);
}

fn to_value(group: &Group, action: &ScheduledAction) -> Value {
    let size = |n: Option<u64>| Value::from(n.and_then(|n| i64::try_from(n).ok()));
    let recurs = action.recurs.as_ref();
    map([
        ("AutoScalingGroupName", group.name.as_str().into()),
        ("ScheduledActionName", action.name.as_str().into()),
        ("ScheduledActionARN", action.arn.as_str().into()),
        ("Time", action.start.into()),
        ("StartTime", action.start.into()),
        ("EndTime", action.end.into()),
        ("Recurrence", recurs.map(|recurs| recurs.text.clone()).into()),
        ("MinSize", size(action.min)),
        ("MaxSize", size(action.max)),
        ("DesiredCapacity", size(action.desired)),
        ("TimeZone", recurs.and_then(|recurs| recurs.zone.clone()).into()),
    ])
}
