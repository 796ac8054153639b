//! What the calls have in common: the group that they name, and the size of a page.

use super::errors::{invalid, not_found};
use super::group::Group;
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::World;

/// Returns the group that a call names.
pub(super) fn named<'a>(world: &'a mut World, input: &Value) -> ApiResult<&'a mut Group> {
    let name = input.need_str("AutoScalingGroupName")?;
    world.autoscaling.groups.get_mut(name).ok_or_else(|| not_found(name))
}

/// Returns the group that a call names, to change its configuration. A group that is being deleted is refused
/// (the message is a guess).
pub(super) fn group_to_update<'a>(world: &'a mut World, input: &Value) -> ApiResult<&'a mut Group> {
    let group = named(world, input)?;
    match group.deleting {
        true => Err(invalid(format!("AutoScalingGroup '{}' is pending delete", group.name))),
        false => Ok(group),
    }
}

/// Refuses an operation that an active refresh blocks; `what` completes the message.
pub(super) fn refuse_during_refresh(group: &Group, what: &str) -> ApiResult<()> {
    match group.active_refresh() {
        Some(_) => Err(ApiError::sender(
            "InstanceRefreshInProgress",
            format!("An Instance Refresh is already in progress and blocks {what}."),
        )),
        None => Ok(()),
    }
}

/// Reads the `MaxRecords` of a listing.
pub(super) fn max_records(input: &Value, default: usize, most: usize) -> ApiResult<usize> {
    match input.int("MaxRecords") {
        None => Ok(default),
        Some(n) => usize::try_from(n)
            .ok()
            .filter(|n| (1..=most).contains(n))
            .ok_or_else(|| invalid(format!("MaxRecords must be between 1 and {most}"))),
    }
}
