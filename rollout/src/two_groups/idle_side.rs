//! Prepares the idle group while it receives no traffic: cancels its scheduled scale-in, updates it to the version, and
//! scales it out.

use std::time::Duration;

use super::Machine;
use crate::model::{
    Color, Event, Phase, RefreshFacts, RefreshPreferences, RefreshStatus, ScaleInFacts,
};
use crate::mutant::{self, Mutant};
use crate::refresh::{active_refresh, is_at_version, own_refresh, suspended_suffix};
use crate::{Action, NotReady, gate, scheduled_scale_in};

/// How close to its time a scheduled action is left to run: it may run up to two minutes late (user guide).
pub(super) const SCHEDULED_ACTION_TOLERANCE: Duration = Duration::from_secs(180);

/// The progress of updating a group to a version.
pub(super) enum UpdateProgress {
    Done,
    Waiting,
    Failed(String),
}

/// Returns preferences that replace all instances at once, because the group receives no traffic: none has to stay
/// healthy, which is the default here. cutover's own gate waits for health, so no warmup is needed.
pub(super) fn idle_preferences() -> RefreshPreferences {
    RefreshPreferences {
        warmup: Some(Duration::ZERO),
        skip_matching: true,
        ..RefreshPreferences::default()
    }
}

impl Machine<'_, '_, '_> {
    /// Cancels the scheduled scale-in of both groups, and checks that it is gone.
    pub(super) fn cancel_scale_in(&mut self) -> Result<(), NotReady> {
        if self.rolls_back_early_traffic() || self.rolls_back_for_other_rules()? {
            return Ok(());
        }
        for color in Color::BOTH {
            let observed = self.observed_group(color)?;
            let scheduled = scheduled_scale_in(observed.scheduled()?);
            let Some(action) = scheduled.filter(|_| !mutant::on(Mutant::KeepsScheduledScaleIn))
            else {
                continue;
            };
            let group = self.side(color).group.clone();
            if let Some(at) = action.at {
                if at.duration_since(self.tick.observation.now).unsigned_abs()
                    <= SCHEDULED_ACTION_TOLERANCE
                {
                    let why = format!(
                        "the scheduled scale-in of {group} is due now: waiting until it has run"
                    );
                    return Err(NotReady::new(why));
                }
                let (size, reads) = (action.min.unwrap_or(0), observed.group.capacity.min);
                if !self.has_set_min_size(color, reads) {
                    self.facts.sides[color].min_sizes_set.push(reads);
                }
                self.facts.sides[color].scale_in = Some(ScaleInFacts { at, size });
            }
            self.tick.send(Action::CancelScaleIn { group });
        }
        if self.tick.is_overdue(self.tick.plan.deadlines.healthy) {
            self.start_rollback(
                "an earlier rollout's scheduled scale-in could not be canceled in time",
            );
        } else if self.tick.actions.is_empty() {
            let group = self.side(self.new_color()).group.clone();
            let version = self.expected_version(self.new_color());
            self.tick.enter(Phase::Refresh, format!("updating {group} to version {version}"));
        }
        Ok(())
    }

    /// Updates the idle group to the version with an instance refresh.
    pub(super) fn refresh(&mut self) -> Result<(), NotReady> {
        if self.rolls_back_early_traffic() || self.rolls_back_for_other_rules()? {
            return Ok(());
        }
        let version = self.expected_version(self.new_color());
        match self.update_to(version)? {
            UpdateProgress::Done => {
                self.facts.refresh = None;
                let (to, from) = (
                    self.side(self.new_color()).group.clone(),
                    self.side(self.old_color).group.clone(),
                );
                self.tick.enter(Phase::ScaleOut, format!("scaling out {to} to the size of {from}"));
            }
            UpdateProgress::Failed(why) => self.start_rollback(why),
            UpdateProgress::Waiting if self.tick.is_overdue(self.tick.plan.deadlines.refresh) => {
                let but = suspended_suffix(self.observed_group(self.new_color())?);
                self.start_rollback(format!("the instance refresh did not finish in time{but}"));
            }
            UpdateProgress::Waiting => {}
        }
        Ok(())
    }

    /// Works towards this state: the idle group's saved configuration names `version`, all of its instances run it, and
    /// no refresh is active.
    pub(super) fn update_to(&mut self, version: u64) -> Result<UpdateProgress, NotReady> {
        let to = self.new_color();
        let observed = self.observed_group(to)?;
        let group = self.side(to).group.clone();
        let template = self.tick.plan.template.as_str();
        let preferences = idle_preferences();
        let wanted = self.facts.refresh.clone().filter(|facts| facts.version == version);
        let mine = match &wanted {
            Some(facts) => own_refresh(observed, facts, template, &preferences)?,
            None => None,
        };
        if let Some(refresh) = mine {
            self.facts.refresh =
                wanted.clone().map(|f| RefreshFacts { id: Some(refresh.id.clone()), ..f });
            self.tick.emit(Event::Refresh {
                group: group.clone(),
                status: refresh.status,
                percent: refresh.percent,
                reason: refresh.reason.clone(),
            });
        }
        if let Some(other) = active_refresh(observed)? {
            if mine.is_some_and(|m| m.id == other.id) {
                self.tick.report_waiting(
                    format!("updating {group} to version {version}"),
                    Some(self.tick.plan.deadlines.refresh),
                );
            } else if self.facts.refresh.as_ref().is_some_and(|f| f.id.as_ref() == Some(&other.id))
            {
                if other.status != RefreshStatus::Cancelling {
                    self.tick.notice(format!("canceling the earlier instance refresh of {group}"));
                    self.tick.send(Action::CancelRefresh { group });
                }
            } else {
                self.tick.report_waiting(
                    format!(
                        "an instance refresh of {group} that this rollout did not start is active"
                    ),
                    Some(self.tick.plan.deadlines.refresh),
                );
            }
            return Ok(UpdateProgress::Waiting);
        }
        if is_at_version(observed, template, version) {
            return Ok(UpdateProgress::Done);
        }
        match mine.map(|m| (m.status, m.reason.clone())) {
            // The group's state may lag behind the refresh's status, or an instance was just launched.
            Some((RefreshStatus::Successful, _)) => {
                self.tick.report_waiting(
                    format!("the instance refresh succeeded, but {group} does not show version {version} on every instance yet"),
                    Some(self.tick.plan.deadlines.refresh),
                );
                return Ok(UpdateProgress::Waiting);
            }
            Some((status, reason)) => {
                let reason = reason.unwrap_or_else(|| "AWS gave no reason".to_owned());
                return Ok(UpdateProgress::Failed(format!(
                    "the instance refresh of {group} ended with status {status:?}: {reason}"
                )));
            }
            None => {}
        }
        if let Some(left) = self.remaining_idle_time() {
            // During a rollback every tick also guards the old side, so the pause stays short.
            if self.is_forward() {
                self.tick.observe_after(left);
            }
            let seconds = super::super::T.as_secs();
            let why = format!("{group} must be without traffic for {seconds} s first");
            // Reported here and not returned, so that a phase with a deadline still checks it.
            let idle = self.wait_until_idle(why);
            self.tick.wait_unless_ready(idle);
            return Ok(UpdateProgress::Waiting);
        }
        if wanted.is_none() {
            let after = observed.refreshes()?.first().map(|r| r.id.clone());
            self.facts.refresh = Some(RefreshFacts { version, after, id: None });
        }
        self.tick.send(Action::StartRefresh {
            group,
            template: template.to_owned(),
            version,
            preferences,
        });
        Ok(UpdateProgress::Waiting)
    }

    /// Raises the idle group's MinSize to the live group's DesiredCapacity. Setting MinSize is enough, because that
    /// also raises DesiredCapacity.
    pub(super) fn scale_out(&mut self) -> Result<(), NotReady> {
        if self.rolls_back_early_traffic() {
            return Ok(());
        }
        let (idle, live) =
            (self.observed_group(self.new_color())?, self.observed_group(self.old_color)?);
        let (idle, live) = (idle.group.capacity, live.group.capacity);
        let want = idle.min.max(live.desired);
        if want > idle.max {
            let group = self.side(self.new_color()).group.clone();
            self.start_rollback(format!(
                "{group} needs {want} instances, but its MaxSize is {}",
                idle.max
            ));
        } else if idle.min < want {
            self.set_min_size(self.new_color(), want, "to match the live group")?;
        } else if self.tick.is_overdue(self.tick.plan.deadlines.healthy) && idle.desired < want {
            self.start_rollback("the new MinSize of the idle group did not take effect in time");
        } else if idle.desired >= want {
            self.tick.enter(
                Phase::AddToRules,
                "adding the new side's target group to every rule with weight 0",
            );
        }
        Ok(())
    }

    /// Rolls back if the new side receives traffic before its first step: only an external change can be the cause.
    pub(super) fn rolls_back_early_traffic(&mut self) -> bool {
        let to = self.side(self.new_color());
        let share = gate::largest_share(self.pair, self.tick.observation, to);
        if share > 0 {
            let group = to.group.clone();
            self.facts.weighted = true;
            self.start_rollback(format!(
                "an external change gave {group} {share}% of the traffic before it was ready"
            ));
        }
        share > 0
    }

    /// Rolls back if a rule outside the plan sends traffic to the new side before it is ready.
    fn rolls_back_for_other_rules(&mut self) -> Result<bool, NotReady> {
        let to = self.side(self.new_color());
        let Some(rule) = gate::other_rule(self.tick.observation, to)? else { return Ok(false) };
        let why =
            format!("{} sends traffic to {}, but is not a rule of this rollout", rule.id, to.group);
        self.start_rollback(why);
        Ok(true)
    }
}
