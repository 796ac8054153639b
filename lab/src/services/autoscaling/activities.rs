//! What a group has done, and why.

use jiff::Timestamp;

use super::{Group, max_records, not_found};
use crate::services::paging::page;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// How an activity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityStatus {
    /// Begun.
    InProgress,
    /// Waiting for the deregistration delay.
    Draining,
    /// On its way into service.
    PreInService,
    /// Waiting for a lifecycle hook.
    MidLifecycleAction,
    /// Ended well.
    Successful,
    /// Ended badly.
    Failed,
}

impl ActivityStatus {
    fn as_str(self) -> &'static str {
        match self {
            ActivityStatus::InProgress => "InProgress",
            ActivityStatus::Draining => "WaitingForELBConnectionDraining",
            ActivityStatus::PreInService => "PreInService",
            ActivityStatus::MidLifecycleAction => "MidLifecycleAction",
            ActivityStatus::Successful => "Successful",
            ActivityStatus::Failed => "Failed",
        }
    }
}

/// One launch or termination.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Its UUID.
    pub id: String,
    /// What it does, for example `Launching a new EC2 instance: i-…`.
    pub description: String,
    /// Why.
    pub cause: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it stands.
    pub status: ActivityStatus,
    /// What went wrong.
    pub message: Option<String>,
    /// A JSON object that names subnet and zone.
    pub details: String,
}

/// An instant as causes and messages have it.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Begins an activity; its id.
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

/// Sets how an activity stands; an end has the time of now.
pub(super) fn set(group: &mut Group, id: &str, status: ActivityStatus, now: Timestamp) {
    if let Some(activity) = group.activities.iter_mut().rev().find(|a| a.id == id) {
        activity.status = status;
        if matches!(status, ActivityStatus::Successful | ActivityStatus::Failed) {
            activity.ended = Some(now);
        }
    }
}

/// The same for a failure, with what went wrong.
pub(super) fn fail(group: &mut Group, id: &str, message: String, now: Timestamp) {
    set(group, id, ActivityStatus::Failed, now);
    if let Some(activity) = group.activities.iter_mut().rev().find(|a| a.id == id) {
        activity.message = Some(message);
    }
}

/// `DescribeScalingActivities`: newest first.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let groups = &world.autoscaling.groups;
    let chosen: Vec<&Group> = match input.str("AutoScalingGroupName") {
        Some(name) => vec![groups.get(name).ok_or_else(|| not_found(name))?],
        None => groups.values().collect(),
    };
    let ids = input.strings("ActivityIds");
    let mut found: Vec<(&Group, &Activity)> = chosen
        .into_iter()
        .flat_map(|group| group.activities.iter().rev().map(move |activity| (group, activity)))
        .filter(|(_, activity)| ids.is_empty() || ids.contains(&activity.id))
        .collect();
    found.sort_by_key(|(_, activity)| std::cmp::Reverse(activity.started));
    let items = found.into_iter().map(|(group, activity)| to_value(group, activity)).collect();
    let size = max_records(input, 100, 100)?;
    let (items, next) = page(items, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("Activities", items.into()), ("NextToken", next.into())]))
}

/// An `Activity` of the API.
pub(super) fn to_value(group: &Group, activity: &Activity) -> Value {
    let progress: i64 = match activity.status {
        ActivityStatus::PreInService => 30,
        ActivityStatus::InProgress => 50,
        ActivityStatus::Draining | ActivityStatus::MidLifecycleAction => 60,
        ActivityStatus::Successful | ActivityStatus::Failed => 100,
    };
    map([
        ("ActivityId", activity.id.as_str().into()),
        ("AutoScalingGroupName", group.name.as_str().into()),
        ("Description", activity.description.as_str().into()),
        ("Cause", activity.cause.as_str().into()),
        ("StartTime", activity.started.into()),
        ("EndTime", activity.ended.into()),
        ("StatusCode", activity.status.as_str().into()),
        ("StatusMessage", activity.message.clone().into()),
        ("Progress", progress.into()),
        ("Details", activity.details.as_str().into()),
        ("AutoScalingGroupARN", group.arn.as_str().into()),
    ])
}
