//! One look at a group that is being refreshed: launch, take out, wait.

use super::bounds::Bounds;
use super::census::Census;
use super::steps::change;
use super::{Refresh, Status};
use crate::services::autoscaling::cause::Why;
use crate::services::autoscaling::{capacity, launch, life};
use crate::world::{Params, World, later};

/// What a look has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is more to do, or to wait for.
    Going,
    /// Nothing is left to do.
    Done,
}

/// Looks at the group, does what may be done, and tells what is left.
pub(super) fn replace(world: &mut World, name: &str) -> Outcome {
    let Some((desired, refresh, census)) = look(world, name) else { return Outcome::Going };
    note_progress(world, name, &census);
    let back = refresh.status == Status::RollbackInProgress;
    if census.warming > 0 && !world.params.stall_has_warmup {
        change(world, name, |refresh, now| refresh.progressed = now);
    }
    if refresh.hold.is_some_and(|until| until > world.now) {
        if !world.params.stall_has_checkpoints {
            change(world, name, |refresh, now| refresh.progressed = now);
        }
        settle(world, name);
        return Outcome::Going;
    }
    if !back && let Some(reached) = checkpoint(&refresh, &census, desired) {
        return pause(world, name, &refresh, reached);
    }
    if stalls(world, name) {
        return Outcome::Going;
    }
    let limit = if back { desired } else { limit(&refresh, desired) };
    move_on(world, name, &refresh, &census, desired, limit);
    settle(world, name);
    let Some((desired, _, census)) = look(world, name) else { return Outcome::Going };
    tell(world, name, &census, back);
    if census.is_done(desired) { Outcome::Done } else { Outcome::Going }
}

/// With Launch or Terminate suspended a refresh stalls (user guide) and in the end fails.
fn stalls(world: &mut World, name: &str) -> bool {
    let Some(group) = world.autoscaling.groups.get(name) else { return true };
    let Some(process) = ["Launch", "Terminate"].into_iter().find(|p| !group.runs(p)) else {
        return false;
    };
    let reason = format!("Waiting for the suspended process {process} before continuing.");
    change(world, name, |refresh, _| refresh.reason = Some(reason));
    true
}

fn look(world: &World, name: &str) -> Option<(usize, Refresh, Census)> {
    let group = world.autoscaling.groups.get(name)?;
    let refresh = group.active_refresh()?;
    Some((group.desired as usize, refresh.clone(), Census::take(world, group, refresh)))
}

/// Launches replacements ahead where the ceiling allows it, and takes out what the floor allows. Of
/// the old instances, as many stay as the next checkpoint wants.
fn move_on(
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
    let replaceable = old.saturating_sub((desired - limit).saturating_sub(census.stuck.len()));
    let surplus = census.live.saturating_sub(desired);
    let room = bounds.ceiling.saturating_sub(census.live);
    for _ in 0..room.min(replaceable.saturating_sub(surplus)).min(ahead(census, desired, room)) {
        if !launch::launch(world, name, Why::Refresh) {
            break;
        }
    }
    let available = census.old_available + census.stuck_available + census.come;
    let unavailable = old - census.old_available;
    // Those that aren't available come first and cost nothing.
    let free = unavailable + available.saturating_sub(bounds.floor).min(census.old_available);
    for id in census.old.iter().take(free.min(replaceable)) {
        life::take_out(world, name, id, Why::Refresh);
    }
}

/// How many may be launched beyond the desired capacity; those missing below it are [`settle`]'s.
fn ahead(census: &Census, desired: usize, room: usize) -> usize {
    room.saturating_sub(desired.saturating_sub(census.live))
}

/// Keeps the group at its desired capacity: what was taken out is launched anew at once, and what is
/// too many once nothing old is left is taken out.
fn settle(world: &mut World, name: &str) {
    capacity::fill(world, name, Why::Refresh);
    if look(world, name).is_some_and(|(_, _, census)| census.old.is_empty()) {
        capacity::scale_in(world, name, Why::Capacity);
    }
}

/// The most instances that may be new before the next checkpoint has been waited out. That a batch
/// ends at a checkpoint is a guess.
fn limit(refresh: &Refresh, desired: usize) -> usize {
    let checkpoints = &refresh.preferences.checkpoints;
    match checkpoints.get(refresh.checkpoint).or(checkpoints.last()) {
        Some(percent) => (desired * *percent as usize).div_ceil(100).min(desired),
        None => desired,
    }
}

/// How many checkpoints are behind the refresh, if that is more than before: those whose share of the
/// instances is new and available. Several may be passed at once; only the last is waited at.
fn checkpoint(refresh: &Refresh, census: &Census, desired: usize) -> Option<usize> {
    if desired == 0 || census.live > desired || !census.coming.is_empty() {
        return None;
    }
    let reached = refresh
        .preferences
        .checkpoints
        .iter()
        .filter(|percent| census.come * 100 >= desired * **percent as usize)
        .count();
    (reached > refresh.checkpoint).then_some(reached)
}

/// Waits at a checkpoint. The last one ends the refresh, as it is, even below 100 %.
fn pause(world: &mut World, name: &str, refresh: &Refresh, reached: usize) -> Outcome {
    let last = reached == refresh.preferences.checkpoints.len();
    if last {
        let leaving = look(world, name).is_some_and(|(_, _, census)| !census.leaving.is_empty());
        if leaving {
            tell_leaving(world, name);
            return Outcome::Going;
        }
        change(world, name, |refresh, _| refresh.checkpoint = reached);
        return Outcome::Done;
    }
    change(world, name, |refresh, now| {
        refresh.checkpoint = reached;
        refresh.hold = Some(later(now, refresh.preferences.checkpoint_delay));
        refresh.progressed = now;
        refresh.reason =
            Some("Waiting for checkpoint delay to finish before continuing.".to_owned());
    });
    Outcome::Going
}

/// Percentage and instances left. AWS's formula is unknown; these give what was recorded of a single
/// instance (`Params::percent_in_service` and those beside it).
fn note_progress(world: &mut World, name: &str, census: &Census) {
    let left = census.left();
    let params = world.params.clone();
    change(world, name, |refresh, now| {
        let (fewest_left, most_come) = refresh.mark;
        if left < fewest_left || census.come > most_come {
            refresh.mark = (left.min(fewest_left), census.come.max(most_come));
            refresh.progressed = now;
        }
        match &refresh.rollback {
            Some(rollback) => {
                let done = taken_back(&params, refresh.goal, left, census);
                refresh.percent = Some(rollback.percent * (100 - done) / 100);
            }
            None => {
                let done = replaced(&params, refresh.goal, left, census);
                refresh.percent = Some(done.max(refresh.percent.unwrap_or(0)));
                refresh.to_update = Some(left as u64);
            }
        }
    });
}

/// A part for a replacement in service, more for one available, all once the old one goes.
fn replaced(params: &Params, goal: usize, left: usize, census: &Census) -> u64 {
    let goal = goal.max(1);
    let whole = census.come.min(goal.saturating_sub(left));
    let half = census.come.min(goal) - whole;
    let quarter = census.coming_in_service.min(goal.saturating_sub(whole + half));
    let parts = 100 * whole + params.percent_available * half + params.percent_in_service * quarter;
    (parts / goal).min(100) as u64
}

/// A part for a replacement in service, all once the new one goes.
fn taken_back(params: &Params, goal: usize, left: usize, census: &Census) -> u64 {
    let goal = goal.max(1);
    let half = census.coming_in_service.min(left);
    let parts = 100 * goal.saturating_sub(left) + params.percent_in_service_back * half;
    (parts / goal).min(100) as u64
}

/// What the refresh waits for, in the words recorded once.
fn tell(world: &mut World, name: &str, census: &Census, back: bool) {
    if let Some(id) = census.coming.first() {
        let reason = if back {
            "Waiting for a health check interval to pass before continuing.".to_owned()
        } else {
            format!(
                "Waiting for remaining instances to be available. For example: {id} has insufficient data to evaluate its health with Amazon EC2."
            )
        };
        change(world, name, |refresh, _| refresh.reason = Some(reason));
    } else if !census.leaving.is_empty() {
        tell_leaving(world, name);
    } else if let Some(id) = census.stuck.first() {
        let reason = format!(
            "Waiting for instances that are protected from scale in or in standby. For example: {id}."
        );
        change(world, name, |refresh, _| refresh.reason = Some(reason));
    }
}

fn tell_leaving(world: &mut World, name: &str) {
    let Some((_, _, census)) = look(world, name) else { return };
    let Some(id) = census.leaving.first() else { return };
    let reason = format!(
        "Waiting for terminating instances before continuing. For example: {id} is terminating."
    );
    change(world, name, |refresh, _| refresh.reason = Some(reason));
}
