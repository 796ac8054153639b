//! Scheduled actions: a group's bounds and capacity, changed at a time.

use std::time::Duration;

use jiff::Timestamp;

use super::activities::stamp;
use super::capacity::{self, number};
use super::{Event, Group, groups, invalid, max_records, named};
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{self, World, later};

/// A scheduled action. It runs once and is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// Its name, unique in the group.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// When it is due.
    pub start: Timestamp,
    /// When it is no longer due.
    pub end: Option<Timestamp>,
    /// The minimum that it sets.
    pub min: Option<u64>,
    /// The maximum that it sets.
    pub max: Option<u64>,
    /// The desired capacity that it sets.
    pub desired: Option<u64>,
    /// Tells one put under a name from the next.
    put: u64,
}

/// `PutScheduledUpdateGroupAction`: an upsert by name.
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let now = world.now;
    let (account, region) = (world.account.clone(), world.region.clone());
    let uuid = world.ids.uuid();
    let late = world.rng.between(Duration::ZERO, world.params.scheduled_late);
    let put = world.ids.bits();
    let group = named(world, input)?;
    let name = input.need_str("ScheduledActionName")?.to_owned();
    let (min, max, desired) =
        (number(input, "MinSize")?, number(input, "MaxSize")?, number(input, "DesiredCapacity")?);
    if (min, max, desired) == (None, None, None) {
        return Err(invalid(
            "At least one of MinSize, MaxSize or DesiredCapacity must be specified.",
        ));
    }
    if input.str("Recurrence").is_some() {
        return Err(invalid("Recurring scheduled actions are not simulated by this lab."));
    }
    let start = input
        .time("StartTime")
        .or(input.time("Time"))
        .ok_or_else(|| invalid("StartTime or Recurrence must be specified."))?;
    if start <= now {
        return Err(invalid("Given start time is in the past."));
    }
    let clashes = |other: &Scheduled| other.start == start && other.name != name;
    if group.scheduled.values().any(clashes) {
        // The user guide asks for unique times; the code is a guess.
        return Err(ApiError::sender(
            "AlreadyExists",
            "Another scheduled action of this group has the same start time.",
        ));
    }
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        return Err(invalid("MinSize must not be greater than MaxSize."));
    }
    let arn = group.scheduled.get(&name).map_or_else(
        || format!(
            "arn:aws:autoscaling:{region}:{account}:scheduledUpdateGroupAction:{uuid}:autoScalingGroupName/{}:scheduledActionName/{name}",
            group.name
        ),
        |before| before.arn.clone(),
    );
    let event = Event::Scheduled(group.name.clone(), name.clone(), put);
    let end = input.time("EndTime");
    let action = Scheduled { name: name.clone(), arn, start, end, min, max, desired, put };
    group.scheduled.insert(name, action);
    world.queue.push(later(start, late), world::Event::Autoscaling(event));
    Ok(Value::Null)
}

/// `DeleteScheduledAction`.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = input.need_str("ScheduledActionName")?;
    match named(world, input)?.scheduled.remove(name) {
        Some(_) => Ok(Value::Null),
        None => Err(invalid(format!("Scheduled action name not found: {name}"))),
    }
}

/// `DescribeScheduledActions`: of one group or all, within a time where one is given.
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
        .filter(|(_, action)| names.is_empty() || names.contains(&action.name))
        .filter(|(_, action)| from.is_none_or(|from| action.start >= from))
        .filter(|(_, action)| until.is_none_or(|until| action.start <= until))
        .map(|(group, action)| to_value(group, action))
        .collect();
    let size = max_records(input, 50, 100)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("ScheduledUpdateGroupActions", items.into()), ("NextToken", next.into())]))
}

/// Runs an action that is due, unless it was deleted, put again, or the process is suspended.
pub(super) fn run(world: &mut World, name: &str, action: &str, put: u64) {
    let at = stamp(world.now);
    let Some(group) = world.autoscaling.groups.get_mut(name) else { return };
    if group.scheduled.get(action).is_none_or(|action| action.put != put) {
        return;
    }
    let Some(action) = group.scheduled.remove(action) else { return };
    if !group.runs("ScheduledActions") {
        return;
    }
    let mut changed = group.clone();
    // What doesn't fit the group's other bounds changes nothing (a guess: AWS logs a failure).
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

fn to_value(group: &Group, action: &Scheduled) -> Value {
    let size = |n: Option<u64>| Value::from(n.and_then(|n| i64::try_from(n).ok()));
    map([
        ("AutoScalingGroupName", group.name.as_str().into()),
        ("ScheduledActionName", action.name.as_str().into()),
        ("ScheduledActionARN", action.arn.as_str().into()),
        ("Time", action.start.into()),
        ("StartTime", action.start.into()),
        ("EndTime", action.end.into()),
        ("MinSize", size(action.min)),
        ("MaxSize", size(action.max)),
        ("DesiredCapacity", size(action.desired)),
    ])
}
