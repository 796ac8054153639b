//! One pass over a group that is being refreshed: launch, terminate, wait.

use super::bounds::Bounds;
use super::census::Census;
use super::change::change;
use super::instance_refresh::{Refresh, Status};
use crate::services::autoscaling::cause::Cause;
use crate::services::autoscaling::{capacity, launch, lifecycle};
use crate::world::{Params, World, later};

/// The result of one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Instances remain to be replaced or waited for.
    InProgress,
    /// Everything is replaced.
    Done,
}

/// Examines the group, launches and terminates what its bounds allow, and returns whether the refresh is
/// done.
pub(super) fn replace(world: &mut World, name: &str) -> Progress {
    let Some((desired, refresh, census)) = snapshot(world, name) else {
        return Progress::InProgress;
    };
    note_progress(world, name, &census);
    let back = refresh.status == Status::RollbackInProgress;
    if census.warming > 0 && !world.params.stall_counts_warmup {
        change(world, name, |refresh, now| refresh.progressed = now);
    }
    if refresh.hold.is_some_and(|until| until > world.now) {
        if !world.params.stall_counts_checkpoints {
            change(world, name, |refresh, now| refresh.progressed = now);
        }
        restore_capacity(world, name);
        return Progress::InProgress;
    }
    if !back && let Some(reached) = checkpoint(&refresh, &census, desired) {
        return pause(world, name, &refresh, reached);
    }
    if stalls(world, name) {
        return Progress::InProgress;
    }
    let limit = if back { desired } else { limit(&refresh, desired) };
    replace_batch(world, name, &refresh, &census, desired, limit);
    restore_capacity(world, name);
    let Some((desired, _, census)) = snapshot(world, name) else { return Progress::InProgress };
    set_waiting_reason(world, name, &census, back);
    if census.is_done(desired) { Progress::Done } else { Progress::InProgress }
}

/// Returns whether Launch or Terminate is suspended: the refresh then stalls (user guide), and fails in the
/// end.
fn stalls(world: &mut World, name: &str) -> bool {
    let Some(group) = world.autoscaling.groups.get(name) else { return true };
    let Some(process) = ["Launch", "Terminate"].into_iter().find(|p| !group.is_process_active(p))
    else {
        return false;
    };
    let reason = format!("Waiting for the suspended process {process} before continuing.");
    change(world, name, |refresh, _| refresh.reason = Some(reason));
    true
}

fn snapshot(world: &World, name: &str) -> Option<(usize, Refresh, Census)> {
    let group = world.autoscaling.groups.get(name)?;
    let refresh = group.active_refresh()?;
    Some((group.desired as usize, refresh.clone(), Census::take(world, group, refresh)))
}

/// Launches replacements as far as the ceiling allows, and terminates old instances as far as the floor
/// allows, keeping as many of them as the next checkpoint requires.
fn replace_batch(
    world: &mut World,
    name: &str,
    refresh: &Refresh,
    census: &Census,
    desired: usize,
    limit: usize,
) {
    let (min, max) = (refresh.preferences.min_healthy, refresh.preferences.max_healthy);
    let bounds = Bounds::of(desired, min, max, world.params.max_healthy_rounds_up);
    let old = census.old.len();
    let replaceable = old.saturating_sub((desired - limit).saturating_sub(census.blocked.len()));
    let surplus = census.live.saturating_sub(desired);
    let room = bounds.ceiling.saturating_sub(census.live);
    for _ in 0..room.min(replaceable.saturating_sub(surplus)).min(ahead(census, desired, room)) {
        if !launch::launch(world, name, Cause::Refresh) {
            break;
        }
    }
    let available = census.old_available + census.blocked_available + census.new_available;
    let unavailable = old - census.old_available;
    // Instances that aren't available go first: removing them doesn't reduce availability.
    let free = unavailable + available.saturating_sub(bounds.floor).min(census.old_available);
    for id in census.old.iter().take(free.min(replaceable)) {
        lifecycle::begin_termination(world, name, id, Cause::Refresh);
    }
}

/// Returns how many instances may be launched beyond DesiredCapacity; [`settle`] launches those missing below
/// it.
fn ahead(census: &Census, desired: usize, room: usize) -> usize {
    room.saturating_sub(desired.saturating_sub(census.live))
}

/// Keeps the group at DesiredCapacity: launches replacements for terminated instances at once and, when no
/// old instance is left, terminates the surplus.
fn restore_capacity(world: &mut World, name: &str) {
    capacity::launch_missing(world, name, Cause::Refresh);
    if snapshot(world, name).is_some_and(|(_, _, census)| census.old.is_empty()) {
        capacity::scale_in(world, name, Cause::Capacity);
    }
}

/// Returns how many instances may be new before the next checkpoint has been waited out. That a batch ends at
/// a checkpoint is a guess.
fn limit(refresh: &Refresh, desired: usize) -> usize {
    let checkpoints = &refresh.preferences.checkpoints;
    match checkpoints.get(refresh.checkpoint).or(checkpoints.last()) {
        Some(percent) => (desired * *percent as usize).div_ceil(100).min(desired),
        None => desired,
    }
}

/// Returns how many checkpoints the refresh has passed, if that is more than before: those whose share of the
/// instances is new and available. Several may be passed at once; the refresh waits only at the last of them.
fn checkpoint(refresh: &Refresh, census: &Census, desired: usize) -> Option<usize> {
    if desired == 0 || census.live > desired || !census.new_unavailable.is_empty() {
        return None;
    }
    let reached = refresh
        .preferences
        .checkpoints
        .iter()
        .filter(|percent| census.new_available * 100 >= desired * **percent as usize)
        .count();
    (reached > refresh.checkpoint).then_some(reached)
}

/// Waits at a checkpoint. The last checkpoint ends the refresh as it is, even below 100%.
fn pause(world: &mut World, name: &str, refresh: &Refresh, reached: usize) -> Progress {
    let last = reached == refresh.preferences.checkpoints.len();
    if last {
        let leaving =
            snapshot(world, name).is_some_and(|(_, _, census)| !census.leaving.is_empty());
        if leaving {
            set_terminating_reason(world, name);
            return Progress::InProgress;
        }
        change(world, name, |refresh, _| refresh.checkpoint = reached);
        return Progress::Done;
    }
    change(world, name, |refresh, now| {
        refresh.checkpoint = reached;
        refresh.hold = Some(later(now, refresh.preferences.checkpoint_delay));
        refresh.progressed = now;
        refresh.reason =
            Some("Waiting for checkpoint delay to finish before continuing.".to_owned());
    });
    Progress::InProgress
}

/// Updates the percentage and the number of instances left. AWS's formula is unknown; these values match what
/// was recorded for a single instance (`Params::percent_in_service` and its neighbors).
fn note_progress(world: &mut World, name: &str, census: &Census) {
    let left = census.left();
    let params = world.params.clone();
    change(world, name, |refresh, now| {
        let (fewest_left, most_come) = refresh.best_progress;
        if left < fewest_left || census.new_available > most_come {
            refresh.best_progress = (left.min(fewest_left), census.new_available.max(most_come));
            refresh.progressed = now;
        }
        match &refresh.rollback {
            Some(rollback) => {
                let done = percent_rolled_back(&params, refresh.initial_count, left, census);
                refresh.percent = Some(rollback.percent * (100 - done) / 100);
            }
            None => {
                let done = replaced(&params, refresh.initial_count, left, census);
                refresh.percent = Some(done.max(refresh.percent.unwrap_or(0)));
                refresh.to_update = Some(left as u64);
            }
        }
    });
}

/// Returns the percentage replaced: a part for a replacement in service, more for an available one, all of it
/// once the old instance is leaving.
fn replaced(params: &Params, goal: usize, left: usize, census: &Census) -> u64 {
    let goal = goal.max(1);
    let whole = census.new_available.min(goal.saturating_sub(left));
    let half = census.new_available.min(goal) - whole;
    let quarter = census.new_in_service.min(goal.saturating_sub(whole + half));
    let parts = 100 * whole + params.percent_available * half + params.percent_in_service * quarter;
    (parts / goal).min(100) as u64
}

/// Returns the percentage rolled back: a part for a replacement in service, all of it once the new instance
/// is leaving.
fn percent_rolled_back(params: &Params, goal: usize, left: usize, census: &Census) -> u64 {
    let goal = goal.max(1);
    let half = census.new_in_service.min(left);
    let parts = 100 * goal.saturating_sub(left) + params.percent_in_service_rollback * half;
    (parts / goal).min(100) as u64
}

/// Sets the status reason to what the refresh waits for, in the words recorded once.
fn set_waiting_reason(world: &mut World, name: &str, census: &Census, back: bool) {
    if let Some(id) = census.new_unavailable.first() {
        let reason = if back {
            "Waiting for a health check interval to pass before continuing.".to_owned()
        } else {
            format!(
                "Waiting for remaining instances to be available. For example: {id} has insufficient data to evaluate its health with Amazon EC2."
            )
        };
        change(world, name, |refresh, _| refresh.reason = Some(reason));
    } else if !census.leaving.is_empty() {
        set_terminating_reason(world, name);
    } else if let Some(id) = census.blocked.first() {
        let reason = format!(
            "Waiting for instances that are protected from scale in or in standby. For example: {id}."
        );
        change(world, name, |refresh, _| refresh.reason = Some(reason));
    }
}

fn set_terminating_reason(world: &mut World, name: &str) {
    let Some((_, _, census)) = snapshot(world, name) else { return };
    let Some(id) = census.leaving.first() else { return };
    let reason = format!(
        "Waiting for terminating instances before continuing. For example: {id} is terminating."
    );
    change(world, name, |refresh, _| refresh.reason = Some(reason));
}
