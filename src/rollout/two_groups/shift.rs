//! A step: its gates, its weights, and the time in which it is watched and judged.

use std::time::Duration;

use super::Machine;
use crate::judge::Verdict;
use crate::model::{Colour, Event, Forward, Phase, Rule};
use crate::rollout::evidence::judge_since;
use crate::rollout::mutant::{self, Mutant};
use crate::rollout::refresh::{active, but_suspended, launches_from, saved};
use crate::rollout::{Action, AlarmState, gate, retirement};

/// How long a read may tell of weights from before those that were read back: a guess, AWS doesn't say.
const LATE_READS: Duration = Duration::from_secs(10);

impl Machine<'_, '_, '_> {
    /// The share of the step being reached, and of the one before it.
    fn shares(&self) -> (u8, u8) {
        let step = |i: usize| self.pair.steps.get(i).map_or(100, |s| s.percent);
        let before = self.facts.step.checked_sub(1).map_or(0, step);
        (before, step(self.facts.step))
    }

    /// Sends a step's weights once every gate is open. Weights other than this step's and the
    /// previous one's are another hand's: lower ones mean that somebody took back.
    pub(super) fn shift(&mut self, rules: &[&Rule]) {
        let (before, percent) = self.shares();
        let to = self.side(self.to()).clone();
        let (least, most) = (
            gate::smallest_share(self.pair, self.turn.seen, &to),
            gate::largest_share(self.pair, self.turn.seen, &to),
        );
        if least < before || most > percent {
            self.take_back(format!("another hand set the new side's share to {least}–{most} %"));
            return;
        }
        if least == percent {
            self.facts.shifted = Some(self.turn.seen.now);
            self.facts.weighted = true;
            let weights = self.weights(percent);
            self.turn.tell(Event::Weights { weights, verified: true });
            self.turn.go(Phase::Bake, format!("{percent} % of the traffic is on the new version"));
            return;
        }
        if most > 0 {
            if self.fell_below_floor() {
                return;
            }
            if let Verdict::Fail(why) = self.verdict() {
                self.take_back(why);
                return;
            }
        }
        if let Some(shut) = self.shut_gate(percent) {
            if self.turn.overdue(self.turn.plan.deadlines.healthy) {
                self.take_back(format!("the gate to {percent} % did not open: {shut}"));
            } else if self.turn.actions.is_empty() {
                let limit = self.turn.plan.deadlines.healthy;
                self.turn.wait(format!("the gate to {percent} %: {shut}"), Some(limit));
            }
            return;
        }
        self.facts.floor = self.standing(self.to(), percent).needed;
        self.facts.weighted = true;
        let weights = self.weights(percent);
        self.turn.tell(Event::Weights { weights, verified: false });
        for rule in rules {
            if rule.forward.as_ref().is_some_and(|f| f.share(&to.target_group) != percent) {
                let forward = self.forward(rule, percent);
                self.turn.send(Action::SetForward { rule: rule.id.clone(), forward });
            }
        }
    }

    /// Why the step's gate is shut, if it is. What can be mended is sent.
    fn shut_gate(&mut self, percent: u8) -> Option<String> {
        for colour in Colour::BOTH {
            let seen = self.seen(colour)?;
            let group = &self.side(colour).group;
            if active(seen).is_some() {
                return Some(format!("an instance refresh of {group} is active"));
            }
            if retirement(&seen.scheduled).is_some() && !mutant::on(Mutant::RetirementStands) {
                let group = group.clone();
                self.turn.send(Action::Unschedule { group });
                return Some("a scheduled retirement has to go first".to_owned());
            }
        }
        let (new, old) = (self.seen(self.to())?, self.seen(self.from)?);
        if let Some(other) = self.launches_otherwise(self.to()) {
            return Some(other);
        }
        if let Some(other) = self.launches_otherwise(self.from) {
            self.turn.notice(format!("{other}: a rollback counts only on what it launched before"));
        }
        let horizon = self.pair.steps.get(self.facts.step).map_or(0, |s| s.bake.as_secs());
        let gate = self.turn.seen.now.as_second().saturating_add_unsigned(horizon);
        if let Some(action) =
            new.scheduled.iter().find(|action| action.at.is_some_and(|at| at.as_second() <= gate))
        {
            return Some(format!(
                "the scheduled action `{}` is due before the next gate",
                action.name
            ));
        }
        let (new, old) = (new.group.capacity, old.group.capacity);
        if old.min < old.desired {
            // Its own scaling would melt what a rollback needs once its traffic falls.
            self.pin(self.from, old.desired, "kept warm for the way back");
            return Some("the old group's minimum is raised".to_owned());
        }
        let want = old.desired.min(new.max);
        if new.min < want {
            self.pin(self.to(), want, "the live group has grown");
            return Some("the new group's minimum is raised".to_owned());
        }
        if percent == 100 && self.leave_the_test_rule() {
            return Some("the test rule has to keep the old group checked".to_owned());
        }
        let standing = self.standing(self.to(), percent);
        self.tell_health(self.to(), standing);
        let but = self.seen(self.to()).map(but_suspended).unwrap_or_default();
        (!standing.passes())
            .then(|| format!("{} of {} targets are ready{but}", standing.ready, standing.needed))
    }

    /// Where a side's saved configuration is not the version that its instances count by: what it
    /// launches from now on is another hand's.
    fn launches_otherwise(&self, colour: Colour) -> Option<String> {
        let seen = self.seen(colour)?;
        let same = saved(seen, &self.turn.plan.template) == Some(self.version(colour));
        let group = &self.side(colour).group;
        (!same).then(|| format!("another hand lets {group} launch from {}", launches_from(seen)))
    }

    /// Where promotion takes the old group out of a sticky rule, the test rule has to name it, or it
    /// would not be checked any more. True while that is on its way.
    fn leave_the_test_rule(&mut self) -> bool {
        let old = self.side(self.from).target_group.clone();
        let sticky = self.facts.rules.iter().any(|rule| rule.sticky.is_some());
        let Some(rule) = self.test_rule().filter(|_| sticky) else { return false };
        let kept = rule.forward.as_ref().is_some_and(|f| f.share(&old) == 100);
        if !kept {
            let forward = Forward::only(&old);
            self.turn.send(Action::SetForward { rule: rule.id.clone(), forward });
        }
        !kept
    }

    /// Watches a step: targets, weights, alarms and evidence, for as long as it is to stand.
    pub(super) fn bake(&mut self) {
        let (_, percent) = self.shares();
        if !self.holds(percent) {
            return;
        }
        let verdict = self.verdict();
        if let Verdict::Fail(why) = &verdict {
            let why = why.clone();
            self.take_back(why);
            return;
        }
        let bake = self.pair.steps.get(self.facts.step).map(|s| s.bake).unwrap_or_default();
        if !self.turn.overdue(bake) {
            self.turn
                .wait(format!("{percent} % is watched for at least {} s", bake.as_secs()), None);
        } else if let Verdict::Insufficient(why) = verdict {
            let limit = self.turn.plan.deadlines.evidence;
            if self.turn.overdue(limit) {
                self.take_back(format!("not enough evidence in time: {why}"));
            } else {
                self.turn.wait(why, Some(limit));
            }
        } else if self.facts.step + 1 < self.pair.steps.len() {
            self.facts.step += 1;
            let next = self.shares().1;
            self.turn.go(Phase::Shift, format!("the gate to {next} %"));
        } else {
            self.turn.go(Phase::Settle, "waiting for the old side's traffic to end");
        }
    }

    /// Whether the step's weights stand and are borne by enough targets; if not, takes back.
    pub(super) fn holds(&mut self, percent: u8) -> bool {
        self.weights_hold(percent) && !self.is_refreshed() && !self.fell_below_floor()
    }

    /// A refresh lowers healthy capacity: no weight stays on a group under one.
    fn is_refreshed(&mut self) -> bool {
        let refreshed = self.seen(self.to()).is_some_and(|seen| active(seen).is_some());
        if refreshed {
            self.take_back("another hand refreshes the group that bears traffic");
        }
        refreshed
    }

    /// Whether every rule forwards as this step wrote it, to the pair alone; if not, takes back.
    pub(super) fn weights_hold(&mut self, percent: u8) -> bool {
        let to = self.side(self.to()).clone();
        let least = gate::smallest_share(self.pair, self.turn.seen, &to);
        let most = gate::largest_share(self.pair, self.turn.seen, &to);
        let old = gate::largest_share(self.pair, self.turn.seen, self.side(self.from));
        if least != percent || most != percent || old != 100 - percent {
            if self.reads_may_be_late() && most <= percent {
                self.turn.wait("the weights do not read everywhere as they were written", None);
                return false;
            }
            self.take_back(format!(
                "another hand changed the weights: the new side has {least}–{most} % instead of {percent} %"
            ));
            return false;
        }
        true
    }

    /// Whether a step's weights were read back so lately that another read may still tell of those
    /// before.
    pub(super) fn reads_may_be_late(&self) -> bool {
        self.facts.shifted.is_some_and(|shifted| self.turn.since(shifted) < LATE_READS)
    }

    /// Takes back when fewer targets are ready than the step's gate had asked for. A group that has
    /// grown since is not held against it: more is wanted then, but nothing was lost.
    fn fell_below_floor(&mut self) -> bool {
        let share = gate::largest_share(self.pair, self.turn.seen, self.side(self.to()));
        let standing = self.standing(self.to(), share);
        self.tell_health(self.to(), standing);
        let fell = standing.ready < self.facts.floor.min(standing.needed) || !standing.zones;
        if fell {
            self.take_back(format!(
                "only {} of {} needed targets of the new version are healthy",
                standing.ready, self.facts.floor
            ));
        }
        fell
    }

    fn verdict(&mut self) -> Verdict {
        for (name, state) in &self.turn.seen.alarms {
            match state {
                AlarmState::Alarm => return Verdict::Fail(format!("the alarm `{name}` went off")),
                AlarmState::InsufficientData => {
                    return Verdict::Insufficient(format!("the alarm `{name}` has no data"));
                }
                AlarmState::Ok => {}
            }
        }
        let (Some(limit), Some(shifted)) = (self.turn.plan.judge.errors, self.facts.shifted) else {
            return Verdict::Pass("no limit is configured".to_owned());
        };
        let target_group = &self.side(self.to()).target_group;
        let (counts, verdict) = judge_since(self.turn.seen, target_group, &limit, shifted);
        self.turn.tell(Event::Judgement {
            verdict: verdict.name(),
            counts,
            message: verdict.message().to_owned(),
        });
        verdict
    }
}
