//! A step: its gate, its weights, and the time in which it bakes.

use std::time::Duration;

use super::Machine;
use crate::evidence::{judge_alarms, judge_since};
use crate::judge::Verdict;
use crate::model::{Color, Event, Forward, Phase, Rule, ScheduledAction};
use crate::mutant::{self, Mutant};
use crate::refresh::{
    active_refresh, check_no_active_refresh, describe_source, saved_version, suspended_suffix,
};
use crate::{Action, NotReady, gate, scheduled_scale_in};

/// How long a read may still return the previous weights after the new ones were read back. A guess: AWS doesn't say.
const STALE_READS: Duration = Duration::from_secs(10);

impl Machine<'_, '_, '_> {
    /// Returns the shares of the previous step and of the current one.
    fn step_shares(&self) -> (u8, u8) {
        let step = |i: usize| self.pair.steps.get(i).map_or(100, |s| s.percent);
        let before = self.facts.step.checked_sub(1).map_or(0, step);
        (before, step(self.facts.step))
    }

    /// Returns the message with which the current step's shift begins.
    pub(super) fn shift_message(&self) -> String {
        let (_, percent) = self.step_shares();
        format!("shifting {percent}% of the traffic to {}", self.side(self.new_color()).group)
    }

    /// Sends a step's weights once its gate is open. A share outside the range from the previous step to this one is an
    /// external change; a lower one means that somebody rolled back.
    pub(super) fn shift(&mut self, rules: &[&Rule]) -> Result<(), NotReady> {
        let (before, percent) = self.step_shares();
        let to = self.side(self.new_color()).clone();
        let (least, most) = (
            gate::smallest_share(self.pair, self.tick.observation, &to),
            gate::largest_share(self.pair, self.tick.observation, &to),
        );
        if least < before || most > percent {
            self.start_rollback(format!(
                "an external change set the new side's share to {}",
                range(least, most)
            ));
            return Ok(());
        }
        if least == percent {
            self.facts.shifted = Some(self.tick.observation.now);
            self.facts.weighted = true;
            let shares = self.shares(percent);
            self.tick.emit(Event::Traffic { shares, verified: true });
            self.tick
                .enter(Phase::Bake, format!("{percent}% of the traffic is on the new version"));
            return Ok(());
        }
        if most > 0 {
            if self.fell_below_floor() {
                return Ok(());
            }
            if let Verdict::Fail(why) = self.verdict() {
                self.start_rollback(why);
                return Ok(());
            }
        }
        if let Err(shut) = self.open_gate(percent) {
            if self.tick.is_overdue(self.tick.plan.deadlines.healthy) {
                self.start_rollback(format!(
                    "the gate for {percent}% did not open in time: {shut}"
                ));
            } else if self.tick.actions.is_empty() {
                let limit = self.tick.plan.deadlines.healthy;
                self.tick.report_waiting(
                    format!("the gate for {percent}% is not open: {shut}"),
                    Some(limit),
                );
            }
            return Ok(());
        }
        self.facts.floor = self.readiness(self.new_color(), percent).needed;
        self.facts.weighted = true;
        let shares = self.shares(percent);
        self.tick.emit(Event::Traffic { shares, verified: false });
        for rule in rules {
            if rule.forward.as_ref().is_some_and(|f| f.share(&to.target_group) != percent) {
                let forward = self.forward(rule, percent);
                self.tick.send(Action::SetForward { rule: rule.id.clone(), forward });
            }
        }
        Ok(())
    }

    /// Sends the first change that the step's gate requires, if any. Fails for as long as the gate is not open.
    fn open_gate(&mut self, percent: u8) -> Result<(), NotReady> {
        let shut = |why: &str| Err(NotReady::new(why));
        for color in Color::BOTH {
            let observed = self.observed_group(color)?;
            check_no_active_refresh(observed)?;
            if scheduled_scale_in(observed.scheduled()?).is_some()
                && !mutant::on(Mutant::KeepsScheduledScaleIn)
            {
                let group = self.side(color).group.clone();
                self.tick.send(Action::CancelScaleIn { group });
                return shut("a scheduled scale-in must be canceled first");
            }
        }
        let (new, old) =
            (self.observed_group(self.new_color())?, self.observed_group(self.old_color)?);
        self.launches_as_expected(self.new_color())?;
        if let Err(other) = self.launches_as_expected(self.old_color) {
            self.tick.notice(format!(
                "{other}: a rollback relies only on the instances that it launched before"
            ));
        }
        let horizon = self.pair.steps.get(self.facts.step).map_or(0, |s| s.bake.as_secs());
        let gate = self.tick.observation.now.as_second().saturating_add_unsigned(horizon);
        let due = |action: &&ScheduledAction| action.at.is_some_and(|at| at.as_second() <= gate);
        if let Some(ScheduledAction { name, .. }) = new.scheduled()?.iter().find(due) {
            return shut(&format!("the scheduled action `{name}` is due before the next gate"));
        }
        let (new, old) = (new.group.capacity, old.group.capacity);
        if old.min < old.desired {
            // Otherwise its scaling policies would remove what a rollback needs as soon as its traffic falls.
            self.set_min_size(self.old_color, old.desired, "so that a rollback stays fast")?;
            return shut("MinSize of the old group is being raised");
        }
        let want = old.desired.min(new.max);
        if new.min < want {
            self.set_min_size(self.new_color(), want, "because the live group has grown")?;
            return shut("MinSize of the new group is being raised");
        }
        if percent == 100 && self.point_test_rule_at_old_side() {
            return shut(
                "the test rule must forward to the old group first, to keep its health checks running",
            );
        }
        let standing = self.readiness(self.new_color(), percent);
        self.emit_health(self.new_color(), standing);
        let but = suspended_suffix(self.observed_group(self.new_color())?);
        NotReady::unless(standing.passes(), || {
            format!("{} of {} targets are ready{but}", standing.ready, standing.needed)
        })
    }

    /// Checks that a side launches from the version whose instances count as ready. Any other version is an external
    /// change.
    fn launches_as_expected(&self, color: Color) -> Result<(), NotReady> {
        let observed = self.observed_group(color)?;
        let same =
            saved_version(observed, &self.tick.plan.template) == Some(self.expected_version(color));
        let group = &self.side(color).group;
        NotReady::unless(same, || {
            format!("an external change made {group} launch from {}", describe_source(observed))
        })
    }

    /// Makes the test rule forward to the old group if the last step removes that group from a sticky rule: otherwise
    /// its health checks would end. Returns true while the change is under way.
    fn point_test_rule_at_old_side(&mut self) -> bool {
        let old = self.side(self.old_color).target_group.clone();
        let sticky = self.facts.rules.iter().any(|rule| rule.sticky.is_some());
        let Some(rule) = self.test_rule().filter(|_| sticky) else { return false };
        let kept = rule.forward.as_ref().is_some_and(|f| f.share(&old) == 100);
        if !kept {
            let forward = Forward::only(&old);
            self.tick.send(Action::SetForward { rule: rule.id.clone(), forward });
        }
        !kept
    }

    /// Watches a step's targets, weights, alarms and evidence for as long as it bakes.
    pub(super) fn bake(&mut self) -> Result<(), NotReady> {
        let (_, percent) = self.step_shares();
        if !self.step_holds(percent)? {
            return Ok(());
        }
        let verdict = self.verdict();
        if let Verdict::Fail(why) = &verdict {
            let why = why.clone();
            self.start_rollback(why);
            return Ok(());
        }
        let bake = self.pair.steps.get(self.facts.step).map(|s| s.bake).unwrap_or_default();
        if !self.tick.is_overdue(bake) {
            self.tick.report_waiting(
                format!("baking at {percent}% of the traffic for at least {} s", bake.as_secs()),
                None,
            );
        } else if let Verdict::Insufficient(why) = verdict {
            let limit = self.tick.plan.deadlines.evidence;
            if self.tick.is_overdue(limit) {
                self.start_rollback(format!("not enough evidence in time: {why}"));
            } else {
                self.tick.report_waiting(why, Some(limit));
            }
        } else if self.facts.step + 1 < self.pair.steps.len() {
            self.facts.step += 1;
            let message = self.shift_message();
            self.tick.enter(Phase::Shift, message);
        } else {
            self.tick.enter(Phase::Settle, "waiting for the old side's traffic to end");
        }
        Ok(())
    }

    /// Returns whether the step's weights hold and enough targets are ready; if not, rolls back.
    pub(super) fn step_holds(&mut self, percent: u8) -> Result<bool, NotReady> {
        Ok(self.weights_hold(percent)
            && !self.rolls_back_if_refreshed()?
            && !self.fell_below_floor())
    }

    /// Returns whether the new side's group is being refreshed, and rolls back if it is: a refresh lowers healthy
    /// capacity.
    fn rolls_back_if_refreshed(&mut self) -> Result<bool, NotReady> {
        let refreshed = active_refresh(self.observed_group(self.new_color())?)?.is_some();
        if refreshed {
            self.start_rollback(
                "an external change started an instance refresh of the group that receives traffic",
            );
        }
        Ok(refreshed)
    }

    /// Returns whether every rule forwards to the pair alone, with this step's weights; if not, rolls back.
    pub(super) fn weights_hold(&mut self, percent: u8) -> bool {
        let to = self.side(self.new_color()).clone();
        let least = gate::smallest_share(self.pair, self.tick.observation, &to);
        let most = gate::largest_share(self.pair, self.tick.observation, &to);
        let old = gate::largest_share(self.pair, self.tick.observation, self.side(self.old_color));
        if least != percent || most != percent || old != 100 - percent {
            if self.reads_may_be_stale() && most <= percent {
                self.tick
                    .report_waiting("AWS does not return the new weights for every rule yet", None);
                return false;
            }
            self.start_rollback(format!(
                "an external change set the weights: the new side has {} instead of {percent}%",
                range(least, most)
            ));
            return false;
        }
        true
    }

    /// Returns whether a step's weights were read back so recently that another read may still return the previous
    /// ones.
    pub(super) fn reads_may_be_stale(&self) -> bool {
        self.facts.shifted.is_some_and(|shifted| self.tick.elapsed_since(shifted) < STALE_READS)
    }

    /// Returns whether fewer targets are ready than the step's gate required, and rolls back if so. A requirement
    /// that has grown since with the groups doesn't count, because no target was lost.
    fn fell_below_floor(&mut self) -> bool {
        let share =
            gate::largest_share(self.pair, self.tick.observation, self.side(self.new_color()));
        let standing = self.readiness(self.new_color(), share);
        self.emit_health(self.new_color(), standing);
        let fell = standing.ready < self.facts.floor.min(standing.needed) || !standing.zones;
        if fell {
            self.start_rollback(format!(
                "only {} of {} needed targets of the new version are healthy",
                standing.ready, self.facts.floor
            ));
        }
        fell
    }

    fn verdict(&mut self) -> Verdict {
        let alarms = judge_alarms(self.tick.plan, self.tick.observation);
        if let Some(Verdict::Fail(why)) = alarms {
            return Verdict::Fail(why);
        }
        let (Some(limit), Some(shifted)) = (self.tick.plan.judge.errors, self.facts.shifted) else {
            return alarms
                .unwrap_or_else(|| Verdict::Pass("no error limit is configured".to_owned()));
        };
        let target_group = &self.side(self.new_color()).target_group;
        let (counts, verdict) = judge_since(self.tick.observation, target_group, &limit, shifted);
        self.tick.emit(Event::Judgment {
            verdict: verdict.name(),
            counts,
            message: verdict.message().to_owned(),
        });
        // Errors fail a version no matter what its alarms say; alarms without data hold it back.
        match (verdict, alarms) {
            (fail @ Verdict::Fail(_), _) => fail,
            (_, Some(alarms)) => alarms,
            (verdict, None) => verdict,
        }
    }
}

/// Returns a range of shares, for messages.
fn range(least: u8, most: u8) -> String {
    if least == most { format!("{least}%") } else { format!("{least}–{most}%") }
}
