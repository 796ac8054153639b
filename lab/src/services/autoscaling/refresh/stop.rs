//! `CancelInstanceRefresh` and `RollbackInstanceRefresh`. Neither names a refresh: both act on the active one
//! (API model).

use super::super::group::Group;
use super::super::request::named;
use super::census::Census;
use super::change::change;
use super::instance_refresh::{NO_PROGRESS, Refresh, RollbackDetails, Status};
use crate::services::autoscaling::capacity;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// `CancelInstanceRefresh`, for a refresh or its rollback.
pub(in crate::services::autoscaling) fn cancel(
    world: &mut World,
    input: &Value,
) -> ApiResult<Value> {
    let now = world.now;
    let waits = input.bool("WaitForTransitioningInstances").unwrap_or(true);
    let group = named(world, input)?;
    let name = group.name.clone();
    let Some(refresh) =
        group.active_refresh_mut().filter(|refresh| refresh.status != Status::Cancelling)
    else {
        return Err(none_active("in progress or pending", &name));
    };
    let id = refresh.id.clone();
    if waits && refresh.status != Status::Pending {
        refresh.status = Status::Cancelling;
        refresh.reason = Some("Waiting for transitioning instances before cancelling.".to_owned());
    } else {
        refresh.end(Status::Cancelled, "Cancelled by a user request.", now);
        capacity::converge_soon(world, &name);
    }
    Ok(map([("InstanceRefreshId", id.into())]))
}

/// `RollbackInstanceRefresh`: returns to the group's saved configuration, under the same id.
pub(in crate::services::autoscaling) fn roll_back(
    world: &mut World,
    input: &Value,
) -> ApiResult<Value> {
    let name = named(world, input)?.name.clone();
    let refresh = world.autoscaling.groups.get(&name).and_then(Group::active_refresh);
    let id = match refresh {
        Some(refresh) if matches!(refresh.status, Status::InProgress | Status::Baking) => {
            refresh.id.clone()
        }
        _ => return Err(none_active("in progress or baking", &name)),
    };
    if !is_reversible(world, &name) {
        return Err(ApiError::sender(
            "IrreversibleInstanceRefresh",
            "The Instance Refresh cannot be rolled back: it has no desired configuration, or the Auto Scaling group's launch template has the version $Latest or $Default, or an SSM parameter for its AMI.",
        ));
    }
    start_rollback(world, &name, "A user request has started a rollback.");
    Ok(map([("InstanceRefreshId", id.into())]))
}

/// Returns whether the active refresh can be rolled back.
pub(super) fn is_reversible(world: &World, name: &str) -> bool {
    world.autoscaling.groups.get(name).is_some_and(|group| {
        group.active_refresh().is_some_and(|refresh| refresh.desired.is_some())
            && group.template.is_reversible(world)
    })
}

/// Rolls the active refresh back. The percentage counts down from where it is.
pub(super) fn start_rollback(world: &mut World, name: &str, reason: &str) {
    let now = world.now;
    let group = world.autoscaling.groups.get_mut(name);
    let Some(refresh) = group.and_then(Group::active_refresh_mut) else { return };
    refresh.rollback = Some(RollbackDetails {
        reason: reason.to_owned(),
        since: now,
        percent: refresh.percent.unwrap_or(0),
        to_update: refresh.to_update.unwrap_or(0),
    });
    refresh.status = Status::RollbackInProgress;
    refresh.reason = Some(reason.to_owned());
    refresh.hold = None;
    (refresh.best_progress, refresh.progressed) = (NO_PROGRESS, now);
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let Some(refresh) = group.active_refresh() else { return };
    let goal = Census::take(world, group, refresh).left();
    change(world, name, |refresh, _| refresh.initial_count = goal);
}

impl Refresh {
    /// Ends the refresh with this status and reason.
    pub(in crate::services::autoscaling) fn end(
        &mut self,
        status: Status,
        reason: &str,
        now: jiff::Timestamp,
    ) {
        self.status = status;
        self.reason = (!reason.is_empty()).then(|| reason.to_owned());
        self.ended = Some(now);
        self.hold = None;
    }
}

fn none_active(what: &str, group: &str) -> ApiError {
    ApiError::sender(
        "ActiveInstanceRefreshNotFound",
        format!("No {what} Instance Refresh found for Auto Scaling group {group}."),
    )
}
