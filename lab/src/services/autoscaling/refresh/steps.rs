//! The course of a refresh from Pending to its end, in steps a few seconds apart.

use std::time::Duration;

use super::super::group::Group;
use super::super::queue::schedule;
use super::super::state::Event;
use super::census::{self, Census};
use super::change::change;
use super::instance_refresh::{Refresh, Status};
use super::{replace, stop};
use crate::services::autoscaling::capacity;
use crate::services::cloudwatch::{self, AlarmState};
use crate::world::{World, elapsed, later};

/// Advances the refresh with this id by one step, if it is still active, and schedules the next.
pub(in crate::services::autoscaling) fn step(world: &mut World, name: &str, id: &str) {
    let Some(refresh) = active(world, name, id) else { return };
    let suspended = world
        .autoscaling
        .groups
        .get(name)
        .is_some_and(|group| !group.is_process_active("InstanceRefresh"));
    let started = refresh.started.unwrap_or(world.now);
    if elapsed(started, world.now) >= world.params.refresh_limit {
        // A suspension doesn't extend the limit (a guess).
        let days = world.params.refresh_limit.as_secs() / 86_400;
        fail(world, name, &format!("The Instance Refresh did not end within {days} days."));
    } else if suspended && refresh.status != Status::Cancelling {
        // A suspension doesn't count as time without progress (a guess).
        change(world, name, |refresh, now| refresh.progressed = now);
    } else {
        match refresh.status {
            Status::Pending => begin(world, name, &refresh),
            Status::InProgress | Status::RollbackInProgress => advance(world, name, &refresh),
            Status::Baking => bake(world, name, &refresh),
            Status::Cancelling => wind_up(world, name),
            _ => {}
        }
    }
    if active(world, name, id).is_some() {
        let tick = world.params.refresh_tick;
        schedule(world, tick, Event::Refresh(name.to_owned(), id.to_owned()));
    }
}

fn active(world: &World, name: &str, id: &str) -> Option<Refresh> {
    let refresh = world.autoscaling.groups.get(name)?.active_refresh()?;
    (refresh.id == id).then(|| refresh.clone())
}

/// Pending → InProgress, or straight to Successful if there is nothing to do.
fn begin(world: &mut World, name: &str, refresh: &Refresh) {
    let nothing = census::nothing_to_do(world, name, refresh);
    change(world, name, |refresh, now| {
        refresh.started = Some(now);
        refresh.progressed = now;
        refresh.status = Status::InProgress;
    });
    if nothing {
        succeed(world, name);
        return;
    }
    let Some(group) = world.autoscaling.groups.get(name) else { return };
    let Some(refresh) = group.active_refresh() else { return };
    let census = Census::take(world, group, refresh);
    change(world, name, |refresh, _| {
        refresh.initial_count = census.left();
        refresh.percent = Some(0);
        refresh.to_update = Some(census.left() as u64);
    });
}

fn advance(world: &mut World, name: &str, refresh: &Refresh) {
    if let Some(why) = failure_reason(world, refresh) {
        fail(world, name, &why);
        return;
    }
    if waits_for_alarms(world, refresh) {
        wait_for_alarms(world, name);
        return;
    }
    match replace::replace(world, name) {
        replace::Progress::InProgress => {}
        replace::Progress::Done if refresh.status == Status::RollbackInProgress => {
            change(world, name, |refresh, now| {
                refresh.percent = Some(0);
                refresh.end(Status::RollbackSuccessful, "", now);
            });
        }
        replace::Progress::Done if refresh.preferences.bake > Duration::ZERO => {
            change(world, name, |refresh, now| {
                refresh.status = Status::Baking;
                refresh.complete();
                refresh.hold = Some(later(now, refresh.preferences.bake));
                refresh.progressed = now;
            });
            set_bake_reason(world, name);
        }
        replace::Progress::Done => succeed(world, name),
    }
}

fn bake(world: &mut World, name: &str, refresh: &Refresh) {
    if let Some(why) = failure_reason(world, refresh) {
        fail(world, name, &why);
    } else if waits_for_alarms(world, refresh) {
        wait_for_alarms(world, name);
    } else if refresh.hold.is_none_or(|until| until <= world.now) {
        succeed(world, name);
    } else {
        if !world.params.stall_counts_bake {
            change(world, name, |refresh, now| refresh.progressed = now);
        }
        set_bake_reason(world, name);
    }
}

fn set_bake_reason(world: &mut World, name: &str) {
    change(world, name, |refresh, now| {
        let left = refresh.hold.map_or(0, |until| elapsed(now, until).as_secs());
        refresh.reason = Some(format!(
            "Waiting for bake time to finish before continuing. There are {left} seconds left."
        ));
    });
}

/// Cancelling → Cancelled, once nothing is launching or leaving.
fn wind_up(world: &mut World, name: &str) {
    let moving = world.autoscaling.groups.get(name).is_some_and(|group| {
        group.members.values().any(|m| m.state.is_launching() || m.state.is_leaving())
    });
    if !moving {
        change(world, name, |refresh, now| {
            refresh.end(Status::Cancelled, "Cancelled by a user request.", now);
        });
        capacity::converge_soon(world, name);
    }
}

/// Ends the refresh as Successful; only now does the desired configuration become the group's saved one.
fn succeed(world: &mut World, name: &str) {
    change(world, name, |refresh, now| {
        refresh.complete();
        refresh.end(Status::Successful, "", now);
    });
    if let Some(group) = world.autoscaling.groups.get_mut(name)
        && let Some(desired) = group.refreshes.last().and_then(|refresh| refresh.desired.clone())
    {
        group.template = desired;
    }
    capacity::converge_soon(world, name);
}

impl Refresh {
    /// Sets 100%, unless the last checkpoint leaves instances unreplaced.
    fn complete(&mut self) {
        if self.to_update.unwrap_or(0) == 0 {
            (self.percent, self.to_update) = (Some(100), Some(0));
        }
    }
}

/// Fails the refresh, or rolls it back where the preferences say so.
fn fail(world: &mut World, name: &str, why: &str) {
    let Some(refresh) = world.autoscaling.groups.get(name).and_then(Group::active_refresh) else {
        return;
    };
    let back = refresh.status == Status::RollbackInProgress;
    if !back && refresh.preferences.auto_rollback && stop::is_reversible(world, name) {
        stop::start_rollback(world, name, why);
        return;
    }
    let status = if back { Status::RollbackFailed } else { Status::Failed };
    change(world, name, |refresh, now| refresh.end(status, why, now));
    capacity::converge_soon(world, name);
}

/// Returns why a running refresh fails, if it does: an alarm, or an hour without progress.
fn failure_reason(world: &World, refresh: &Refresh) -> Option<String> {
    let back = refresh.status == Status::RollbackInProgress;
    let alarm =
        refresh.preferences.alarms.iter().find(|alarm| {
            !back && cloudwatch::alarm_state(world, alarm) == Some(AlarmState::Alarm)
        });
    if let Some(alarm) = alarm {
        return Some(format!("The alarm {alarm} went into the state ALARM."));
    }
    let minutes = world.params.refresh_stall.as_secs() / 60;
    (elapsed(refresh.progressed, world.now) >= world.params.refresh_stall)
        .then(|| format!("The Instance Refresh made no progress in {minutes} minutes."))
}

/// Waits for alarms; this doesn't count as time without progress (a guess).
fn wait_for_alarms(world: &mut World, name: &str) {
    change(world, name, |refresh, now| {
        refresh.progressed = now;
        refresh.reason =
            Some("Waiting for alarms with insufficient data before continuing.".to_owned());
    });
}

fn waits_for_alarms(world: &World, refresh: &Refresh) -> bool {
    matches!(refresh.status, Status::InProgress | Status::Baking)
        && refresh.preferences.alarms.iter().any(|alarm| {
            cloudwatch::alarm_state(world, alarm) == Some(AlarmState::InsufficientData)
        })
}
