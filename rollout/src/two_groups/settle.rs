//! The end of a successful rollout: waits until the old side's traffic has ended, proves success instead of assuming
//! it, and leaves the scale-in of the old group to a scheduled action, so that no runner has to wait.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Machine;
use crate::evidence::METRIC_LAG;
use crate::model::{Color, Event, Phase, ScheduledAction, TargetHealth};
use crate::mutant::{self, Mutant};
use crate::one_group::check_targets;
use crate::refresh::{check_at_version, check_no_active_refresh};
use crate::{Action, NotReady, T, gate, scheduled_scale_in};

/// CloudWatch's period.
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// What CloudWatch says about requests to the old side.
enum OldTraffic {
    /// A minute was counted in which the old side had no requests.
    Ended,
    /// The old side had requests in the newest counted minute.
    Continues,
    /// No minute has been counted yet.
    Unknown,
}

/// The least time between scheduling an action and its start: AWS rejects a start in the past.
const LEAST_SCHEDULE_AHEAD: Duration = Duration::from_secs(180);

impl Machine<'_, '_, '_> {
    pub(super) fn settle(&mut self) -> Result<(), NotReady> {
        if !self.step_holds(100)? {
            return Ok(());
        }
        let Some(shifted) = self.facts.shifted else {
            // A resumed run has not observed the shift itself, so its wait begins now.
            self.facts.shifted = Some(self.tick.observation.now);
            return Ok(());
        };
        let deadlines = self.tick.plan.deadlines;
        let old_traffic = match self.old_traffic(shifted) {
            Ok(old_traffic) => old_traffic,
            Err(why) => {
                self.tick.report_waiting(why.to_string(), Some(deadlines.evidence));
                return Ok(());
            }
        };
        match old_traffic {
            OldTraffic::Ended => {}
            // The service receives no requests, so there is nothing to observe.
            OldTraffic::Unknown if self.tick.is_overdue(deadlines.healthy) => {
                self.tick
                    .notice("CloudWatch has counted no requests on either side since the shift");
            }
            OldTraffic::Continues if self.tick.is_overdue(deadlines.evidence) => {
                self.start_rollback(
                    "the old side still receives requests: its traffic did not end in time",
                );
                return Ok(());
            }
            OldTraffic::Continues | OldTraffic::Unknown => {
                let limit = Some(deadlines.evidence);
                self.tick.report_waiting(
                    "CloudWatch has not yet counted a minute without traffic to the old side",
                    limit,
                );
                return Ok(());
            }
        }
        self.tick.enter(Phase::Verify, "verifying that the new version is live and healthy");
        Ok(())
    }

    /// Returns whether the old side still receives requests, according to CloudWatch. Minutes that begin less than T
    /// after the shift don't count. Both sides show whether a minute was counted at all, because one without requests
    /// may be missing (user guide: idle minutes may have no data). A minute that is too recent may still change.
    fn old_traffic(&self, shifted: Timestamp) -> Result<OldTraffic, NotReady> {
        let now = self.tick.observation.now;
        let late = shifted.checked_add(T).unwrap_or(now);
        let all = self.tick.observation.counts.get("request counts")?;
        let minutes = |color: Color| {
            let counts = all.get(&self.side(color).target_group);
            counts.map(|counts| counts.minutes.as_slice()).unwrap_or_default()
        };
        let old = minutes(self.old_color);
        let busy = old.iter().rev().find(|(start, counts)| *start >= late && counts.requests > 0);
        let all = old.iter().chain(minutes(self.new_color())).map(|(start, _)| *start);
        let settled = now.saturating_sub(METRIC_LAG + MINUTE).unwrap_or(late);
        let known = all.filter(|start| *start <= settled).max();
        Ok(match (known.filter(|start| *start >= late), busy) {
            (None, _) => OldTraffic::Unknown,
            (Some(known), Some((busy, _))) if known <= *busy => OldTraffic::Continues,
            (Some(_), _) => OldTraffic::Ended,
        })
    }

    /// Sets the new side's MinSize to the one that the old side had. Returns true while the change is under way.
    fn hand_over_min_size(&mut self) -> Result<bool, NotReady> {
        let min = self.facts.sides[self.old_color].min;
        self.replace_min_size(self.new_color(), min, "as the old group had before the rollout")
    }

    /// Restores the old group's own MinSize, if a person is to scale it in: nobody would know later that cutover had
    /// raised it. Its instances stay. Returns true while the change is under way.
    fn restore_old_min_size(&mut self) -> Result<bool, NotReady> {
        let min = self.facts.sides[self.old_color].min;
        self.replace_min_size(
            self.old_color,
            min,
            "as before the rollout; its instances stay until you scale it in",
        )
    }

    /// Sets a MinSize that still has a value from this rollout. Returns true while the change is under way.
    fn replace_min_size(&mut self, color: Color, min: u32, why: &str) -> Result<bool, NotReady> {
        let capacity = self.observed_group(color)?.group.capacity;
        // MaxSize may have been lowered since.
        let (reads, min) = (capacity.min, min.min(capacity.max));
        if reads == min {
            return Ok(false);
        }
        let group = &self.side(color).group;
        if !self.has_set_min_size(color, reads) {
            self.tick.notice(format!(
                "MinSize of {group} is {reads}, which this rollout did not set: left as it is"
            ));
            return Ok(false);
        }
        if self.tick.is_overdue(self.tick.plan.deadlines.healthy) {
            self.tick.notice(format!(
                "MinSize of {group} stays {reads}: it could not be changed in time"
            ));
            return Ok(false);
        }
        self.set_min_size(color, min, why)?;
        Ok(true)
    }

    /// Verifies what exit code 0 asserts.
    pub(super) fn verify(&mut self) -> Result<(), NotReady> {
        if !self.step_holds(100)? {
            return Ok(());
        }
        match self.prove() {
            Ok(()) => {
                self.tick.enter(Phase::ScheduleScaleIn, "the new version is live and verified");
            }
            Err(why) if self.tick.is_overdue(self.tick.plan.deadlines.healthy) => {
                self.start_rollback(format!("success could not be proven: {why}"));
            }
            Err(why) => {
                let limit = self.tick.plan.deadlines.healthy;
                self.tick.report_waiting(why.to_string(), Some(limit));
            }
        }
        Ok(())
    }

    /// Proves that the new side runs the version and is healthy.
    pub(super) fn prove(&self) -> Result<(), NotReady> {
        let observed = self.observed_group(self.new_color())?;
        let version = self.expected_version(self.new_color());
        self.tick.check_proof(version)?;
        check_no_active_refresh(observed)?;
        check_at_version(observed, &self.tick.plan.template, version)?;
        check_targets(observed, TargetHealth::Healthy)
    }

    /// Schedules the scale-in of the old group and checks that it is scheduled, then sets both MinSizes. The new
    /// version is proven, and its group may scale in from here on, so only the weights are still watched.
    pub(super) fn schedule_scale_in(&mut self) -> Result<(), NotReady> {
        if !self.weights_hold(100) {
            return Ok(());
        }
        let other = gate::other_rule(self.tick.observation, self.side(self.old_color))?;
        let scheduled = self.observed_group(self.old_color)?.scheduled()?;
        let mut by_hand = self.tick.plan.scale_in_after.is_none();
        if let (Some(rule), false) = (other, by_hand) {
            let group = self.side(self.old_color).group.clone();
            let is_due = scheduled_scale_in(scheduled).is_some();
            if is_due && !self.tick.is_overdue(self.tick.plan.deadlines.healthy) {
                // It would scale in a group that receives traffic.
                self.tick.send(Action::CancelScaleIn { group });
                return Ok(());
            }
            by_hand = true;
            self.tick.notice(format!(
                "{group} must be scaled in by hand: {} sends traffic to it, but is not a rule of this rollout",
                rule.id
            ));
        } else if let Some(after) = self.tick.plan.scale_in_after
            && scheduled_scale_in(scheduled).is_none()
        {
            if !self.tick.is_overdue(self.tick.plan.deadlines.healthy) {
                self.send_scale_in_schedule(after, scheduled);
                return Ok(());
            }
            by_hand = true;
            self.tick.notice(
                "the scale-in of the old group could not be scheduled: scale it in by hand",
            );
        }
        self.finish_min_sizes(by_hand)
    }

    /// Sets both MinSizes as they are to stay, one per tick, then ends the rollout. `by_hand` says that a person is to
    /// scale in the old group.
    pub(super) fn finish_min_sizes(&mut self, by_hand: bool) -> Result<(), NotReady> {
        let on_its_way = self.hand_over_min_size()? || (by_hand && self.restore_old_min_size()?);
        if !on_its_way {
            self.succeed();
        }
        Ok(())
    }

    fn send_scale_in_schedule(&mut self, after: Duration, others: &[ScheduledAction]) {
        let idle = &self.facts.sides[self.new_color()];
        let size = idle.scale_in.map_or(idle.min, |scale_in| scale_in.size);
        let after = if mutant::on(Mutant::ScalesInTooEarly) { Duration::ZERO } else { after };
        let mut at = add(self.tick.observation.now, after.max(LEAST_SCHEDULE_AHEAD));
        // Start times must be unique within a group.
        while others.iter().any(|action| action.at == Some(at)) {
            at = add(at, Duration::from_secs(60));
        }
        let group = self.side(self.old_color).group.clone();
        self.tick.emit(Event::ScaleInScheduled { group: group.clone(), at, size });
        self.tick.send(Action::ScheduleScaleIn { group, at, size });
    }

    pub(super) fn succeed(&mut self) {
        let version = self.expected_version(self.new_color());
        let color = self.new_color();
        self.tick.end(
            self.tick.record.goal.reached(),
            format!("all traffic is on {color}, every instance launched from version {version}"),
            None,
        );
    }
}

/// Returns the time `duration` after `at`, in whole seconds as AWS stores start times.
fn add(at: Timestamp, duration: Duration) -> Timestamp {
    let seconds = SignedDuration::from_secs(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX));
    Timestamp::from_second(at.as_second()).and_then(|at| at.checked_add(seconds)).unwrap_or(at)
}
