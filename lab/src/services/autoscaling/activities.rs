//! Scaling activities: what a group has done, and why.

use std::time::Duration;

use jiff::Timestamp;

use super::activity::{Activity, ActivityStatus};
use super::errors::{invalid, not_found};
use super::group::Group;
use super::request::max_records;
use crate::services::paging::page;
use crate::wire::{ApiResult, Value, map};
use crate::world::{World, elapsed};

/// How long an activity is listed: six weeks (user guide).
const LISTED: Duration = Duration::from_secs(6 * 7 * 86_400);

/// Formats a time as causes and messages do.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Begins an activity and returns its id.
pub(super) fn begin(
    world: &mut World,
    group: &str,
    description: String,
    cause: String,
    (subnet, zone): (&str, &str),
) -> String {
    let id = world.ids.uuid();
    let activity = Activity {
        id: id.clone(),
        description,
        cause,
        started: world.now,
        ended: None,
        status: ActivityStatus::InProgress,
        message: None,
        details: format!("{{\"Subnet ID\":\"{subnet}\",\"Availability Zone\":\"{zone}\"}}"),
    };
    if let Some(group) = world.autoscaling.groups.get_mut(group) {
        group.activities.push(activity);
    }
    id
}

/// Sets an activity's status; a final status also sets its end to `now`.
pub(super) fn set(group: &mut Group, id: &str, status: ActivityStatus, now: Timestamp) {
    if let Some(activity) = group.activities.iter_mut().rev().find(|a| a.id == id) {
        activity.status = status;
        if matches!(status, ActivityStatus::Successful | ActivityStatus::Failed) {
            activity.ended = Some(now);
        }
    }
}

/// Marks an activity as failed, with a message.
pub(super) fn fail(group: &mut Group, id: &str, message: String, now: Timestamp) {
    set(group, id, ActivityStatus::Failed, now);
    if let Some(activity) = group.activities.iter_mut().rev().find(|a| a.id == id) {
        activity.message = Some(message);
    }
}

/// `DescribeScalingActivities`: those of the last six weeks, newest first, including those of deleted groups
/// on request.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let only = input.str("AutoScalingGroupName");
    let state = &world.autoscaling;
    let deleted = input.bool("IncludeDeletedGroups").unwrap_or(false);
    let former = state.former.iter().filter(|_| deleted);
    let groups = state.groups.values().map(|group| (&group.name, &group.arn, &group.activities));
    let groups = groups.chain(former.map(|former| (&former.name, &former.arn, &former.activities)));
    let chosen: Vec<_> =
        groups.filter(|(name, ..)| only.is_none_or(|only| only == *name)).collect();
    if let (Some(name), true) = (only, chosen.is_empty()) {
        return Err(not_found(name));
    }
    let (ids, wanted) = (input.strings("ActivityIds"), Wanted::read(input)?);
    let mut found: Vec<(&str, &str, &Activity)> = chosen
        .into_iter()
        .flat_map(|(name, arn, all)| {
            all.iter().rev().map(move |a| (name.as_str(), arn.as_str(), a))
        })
        .filter(|(.., activity)| ids.is_empty() || ids.contains(&activity.id))
        .filter(|(.., activity)| {
            elapsed(activity.started, world.now) < LISTED && wanted.has(activity)
        })
        .collect();
    found.sort_by_key(|(.., activity)| std::cmp::Reverse(activity.started));
    let items =
        found.into_iter().map(|(name, arn, activity)| written(name, arn, activity)).collect();
    let size = max_records(input, 100, 100)?;
    let (items, next) = page(items, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("Activities", items.into()), ("NextToken", next.into())]))
}

/// The filters of `DescribeScalingActivities` (API model).
#[derive(Default)]
struct Wanted {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    statuses: Vec<String>,
}

impl Wanted {
    fn read(input: &Value) -> ApiResult<Wanted> {
        let mut wanted = Wanted::default();
        for filter in input.list("Filters") {
            let values = filter.strings("Values");
            let time = || {
                let text = values.first().and_then(|text| text.parse::<Timestamp>().ok());
                text.map(Some).ok_or_else(|| invalid("The filter's value is not a timestamp."))
            };
            match filter.str("Name").unwrap_or_default() {
                "StartTimeLowerBound" => wanted.from = time()?,
                "StartTimeUpperBound" => wanted.until = time()?,
                "Status" if input.str("AutoScalingGroupName").is_some() => {
                    wanted.statuses = values;
                }
                "Status" => {
                    return Err(invalid("The filter Status needs an AutoScalingGroupName."));
                }
                other => return Err(invalid(format!("Filter type {other} is not correct."))),
            }
        }
        Ok(wanted)
    }

    fn has(&self, activity: &Activity) -> bool {
        self.from.is_none_or(|from| activity.started >= from)
            && self.until.is_none_or(|until| activity.started <= until)
            && (self.statuses.is_empty()
                || self.statuses.iter().any(|status| status == activity.status.as_str()))
    }
}

/// An `Activity` of the API.
pub(super) fn to_value(group: &Group, activity: &Activity) -> Value {
    written(&group.name, &group.arn, activity)
}

fn written(group: &str, arn: &str, activity: &Activity) -> Value {
    let progress: i64 = match activity.status {
        ActivityStatus::PreInService => 30,
        ActivityStatus::InProgress => 50,
        ActivityStatus::Draining | ActivityStatus::MidLifecycleAction => 60,
        ActivityStatus::Successful | ActivityStatus::Failed => 100,
    };
    map([
        ("ActivityId", activity.id.as_str().into()),
        ("AutoScalingGroupName", group.into()),
        ("Description", activity.description.as_str().into()),
        ("Cause", activity.cause.as_str().into()),
        ("StartTime", activity.started.into()),
        ("EndTime", activity.ended.into()),
        ("StatusCode", activity.status.as_str().into()),
        ("StatusMessage", activity.message.clone().into()),
        ("Progress", progress.into()),
        ("Details", activity.details.as_str().into()),
        ("AutoScalingGroupARN", arn.into()),
    ])
}
