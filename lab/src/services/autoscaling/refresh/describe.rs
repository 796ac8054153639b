//! `DescribeInstanceRefreshes`.

use std::time::Duration;

use super::super::group::Group;
use super::super::request::{max_records, named};
use super::instance_refresh::Refresh;
use crate::services::paging::page;
use crate::wire::{ApiResult, Value, map};
use crate::world::{World, elapsed};

/// How long a refresh is listed: six weeks (user guide).
const LISTED: Duration = Duration::from_secs(6 * 7 * 86_400);

/// Lists the refreshes of a group, newest first.
pub(in crate::services::autoscaling) fn describe(
    world: &mut World,
    input: &Value,
) -> ApiResult<Value> {
    let (now, details_after) = (world.now, world.params.rollback_details);
    let ids = input.strings("InstanceRefreshIds");
    let group = &*named(world, input)?;
    let found = group
        .refreshes
        .iter()
        .rev()
        .filter(|refresh| elapsed(refresh.requested, now) < LISTED)
        .filter(|refresh| ids.is_empty() || ids.contains(&refresh.id))
        .map(|refresh| {
            let details = refresh
                .rollback
                .as_ref()
                .is_some_and(|rollback| elapsed(rollback.since, now) >= details_after);
            to_value(group, refresh, details)
        })
        .collect();
    let size = max_records(input, 50, 100)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("InstanceRefreshes", items.into()), ("NextToken", next.into())]))
}

/// Formats a refresh. `details` says whether the rollback's details are visible yet: recorded seconds after
/// the status.
fn to_value(group: &Group, refresh: &Refresh, details: bool) -> Value {
    let count = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let desired = match &refresh.desired {
        Some(spec) => map([spec.to_member()]),
        None => Value::Null,
    };
    let rollback = refresh.rollback.as_ref().filter(|_| details).map(|rollback| {
        map([
            ("RollbackReason", rollback.reason.as_str().into()),
            ("RollbackStartTime", rollback.since.into()),
            ("PercentageCompleteOnRollback", count(rollback.percent)),
            ("InstancesToUpdateOnRollback", count(rollback.to_update)),
        ])
    });
    map([
        ("InstanceRefreshId", refresh.id.as_str().into()),
        ("AutoScalingGroupName", group.name.as_str().into()),
        ("Status", refresh.status.as_str().into()),
        ("StatusReason", refresh.reason.clone().into()),
        ("StartTime", refresh.started.into()),
        ("EndTime", refresh.ended.into()),
        ("PercentageComplete", refresh.percent.map(count).unwrap_or(Value::Null)),
        ("InstancesToUpdate", refresh.to_update.map(count).unwrap_or(Value::Null)),
        ("Preferences", refresh.preferences.to_value()),
        ("DesiredConfiguration", desired),
        ("RollbackDetails", rollback.unwrap_or(Value::Null)),
        ("Strategy", "Rolling".into()),
    ])
}
