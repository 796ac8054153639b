//! The way back: weights first, behind the gate of the side that gets them; then everything else
//! that was changed, each thing only if it still reads as we wrote it.

use super::Machine;
use super::prepare::{AROUND, Bringing, idle_preferences};
use crate::model::{Ending, Event, Forward, Goal, Phase, Rule, RuleFacts, Stickiness};
use crate::rollout::mutant::{self, Mutant};
use crate::rollout::refresh::{active, launches_from, ours, saved};
use crate::rollout::{Action, T, gate, retirement};

/// How often traffic is given back again while the rest is undone.
const RELAPSES: u8 = 3;

impl Machine<'_, '_, '_> {
    /// Gives all traffic back to the old side: one change a rule, before the record is saved.
    pub(super) fn give_back(&mut self) {
        let rules = gate::rules(self.pair, self.turn.seen);
        if rules.is_empty() {
            self.nothing_to_give_back_with();
            return;
        }
        let (new, old) = (self.side(self.to()).clone(), self.side(self.from).clone());
        let share = gate::largest_share(self.pair, self.turn.seen, &new);
        let (mut astray, others): (Vec<&Rule>, Vec<&Rule>) =
            rules.into_iter().partition(|rule| self.is_astray(rule));
        if self.reads_may_be_late() && !astray.is_empty() {
            // Where one rule has traffic to give back, the others only read as if they had none.
            astray.extend(others);
        }
        if astray.is_empty() {
            self.traffic_is_back();
            return;
        }
        let standing = self.standing_back(share);
        let due = self.retirement_of_the_old_side();
        let bears = standing.passes() || mutant::on(Mutant::BackIntoAnything);
        if bears && due != Some(true) {
            let weights = self.weights(0);
            self.turn.tell(Event::Weights { weights, verified: false });
            for rule in astray {
                let forward = self.forward_back(rule);
                self.turn.send_first(Action::SetForward { rule: rule.id.clone(), forward });
            }
        } else {
            self.hold_between(standing, share);
        }
        if due.is_some() {
            self.turn.send(Action::Unschedule { group: old.group.clone() });
        }
        if self.turn.overdue(self.turn.plan.deadlines.healthy) {
            self.turn.actions.clear();
            self.turn.stuck(
                format!(
                    "traffic could not be given back to {}: {} of {} needed targets are healthy there, and {} still gets {share} %",
                    old.group, standing.ready, standing.needed, new.group
                ),
                "see to the health of the old group; then `cutover rollback` goes on",
            );
        }
    }

    /// Whether a rule gives away traffic that is the old side's: what the new side has, and all that no
    /// third group has. What another hand gave to a third group is theirs.
    fn is_astray(&self, rule: &Rule) -> bool {
        let (new, old) = (self.side(self.to()), self.side(self.from));
        rule.forward.as_ref().is_some_and(|forward| {
            let shared = gate::third_groups(self.pair, forward).next().is_some();
            forward.share(&new.target_group) > 0
                || (!shared && forward.share(&old.target_group) < 100)
        })
    }

    /// The forward with the new side's weight given to the old one, and a third group's as it is.
    fn forward_back(&self, rule: &Rule) -> Forward {
        let plain = self.forward(rule, 0);
        let Some(now) = &rule.forward else { return plain };
        let thirds: Vec<(String, u16)> = gate::third_groups(self.pair, now).cloned().collect();
        if thirds.is_empty() {
            return plain;
        }
        let weight = |colour| now.weight(&self.side(colour).target_group).unwrap_or(0);
        // 999 is the largest weight (API model).
        let back = (weight(self.from) + weight(self.to())).min(999);
        let old = &self.side(self.from).target_group;
        let pair = plain.weights.into_iter();
        let pair = pair.map(|(arn, weight)| if arn == *old { (arn, back) } else { (arn, weight) });
        let mut weights: Vec<(String, u16)> = pair.chain(thirds).collect();
        weights.sort();
        Forward { weights, stickiness: plain.stickiness }
    }

    /// Without a rule that forwards, nothing says where traffic goes. One that is not listed for a
    /// moment is waited for.
    fn nothing_to_give_back_with(&mut self) {
        if self.lasts(self.facts.ruleless_since, T) {
            let old = &self.side(self.from).target_group;
            let hint = format!(
                "let a rule forward all traffic to {old} again, then `cutover rollback` undoes the rest"
            );
            self.turn.stuck(
                "none of the rules that this rollout goes by exists any more, or forwards",
                hint,
            );
        } else {
            self.turn.wait("no rule of this rollout forwards any more", Some(T));
        }
    }

    /// Whether our retirement of the old side is still to come, and whether it is due about now,
    /// so that traffic must not be given back before it is gone.
    fn retirement_of_the_old_side(&self) -> Option<bool> {
        let action = retirement(&self.seen(self.from)?.scheduled)?;
        let now = self.turn.seen.now;
        Some(action.at.is_some_and(|at| at.duration_since(now).unsigned_abs() <= AROUND))
    }

    /// The old side cannot bear all traffic. Moving weight makes no capacity: its minimum rises,
    /// and the weights stay until it can.
    fn hold_between(&mut self, old: gate::Standing, share: u8) {
        self.tell_health(self.from, old);
        let new = self.standing(self.to(), share);
        let Some(seen) = self.seen(self.from) else { return };
        let capacity = seen.group.capacity;
        let want = old.needed.min(capacity.max);
        if capacity.min < want {
            self.pin(self.from, want, "the way back needs it");
        }
        let message = if new.passes() {
            "the old side cannot take all traffic yet, the new side bears its share: weights stay"
        } else {
            "neither side is healthy: weights stay, because moving them makes no capacity"
        };
        self.turn.wait(message, Some(self.turn.plan.deadlines.healthy));
    }

    fn traffic_is_back(&mut self) {
        if let Some((rule, third)) = gate::third(self.pair, self.turn.seen) {
            self.turn.notice(format!("{rule} forwards to {third}, which is not ours: left alone"));
        } else {
            let weights = self.weights(0);
            self.turn.tell(Event::Weights { weights, verified: true });
        }
        if self.turn.record.restart {
            self.begin_anew("traffic is back on the previous version: starting anew");
        } else {
            self.facts.step = 0;
            self.facts.shifted = None;
            self.turn.go(Phase::Undo, "traffic is on the previous version: undoing the rest");
        }
    }

    /// Undoes one thing a turn, in an order in which nothing is taken from under traffic.
    pub(super) fn undo(&mut self, rules: &[&Rule]) {
        if rules.iter().any(|rule| self.is_astray(rule)) {
            self.relapse();
            return;
        }
        let limit = self.turn.plan.deadlines.refresh + self.turn.plan.deadlines.healthy;
        if self.turn.overdue(limit) {
            self.turn.stuck(
                "traffic is on the previous version, but not everything else could be undone in time",
                "`cutover status` shows what differs; `cutover rollback` goes on",
            );
            return;
        }
        let done = self.undo_own_retirement()
            && self.undo_refresh()
            && self.undo_size()
            && self.undo_version()
            && self.undo_rules(rules)
            && self.undo_retirement()
            && self.undo_pin();
        if done {
            self.ended_back();
        }
    }

    /// Traffic left the old side again: another hand, or a request that came late. It is given back
    /// a few times; who fights it longer is a person's question.
    fn relapse(&mut self) {
        self.facts.relapses += 1;
        if self.facts.relapses > RELAPSES {
            self.turn.stuck(
                "another hand keeps taking traffic from the previous version",
                "find out who changes the weights, stop that, then `cutover rollback` goes on",
            );
            return;
        }
        self.turn.notice("the previous version lost traffic again: giving it back");
        self.turn.record.phase = Phase::TakeBack;
        self.turn.record.since = self.turn.seen.now;
        self.give_back();
    }

    fn ended_back(&mut self) {
        let reason = self.turn.record.reason.clone().unwrap_or_else(|| "asked for".to_owned());
        let (colour, version) = (self.from, self.facts.sides[self.from].version);
        let holds = match gate::third(self.pair, self.turn.seen) {
            None => format!("all traffic is back on {colour}, version {version}"),
            Some((rule, third)) => format!(
                "{} gets no traffic, {colour}, version {version}, what {rule} does not give to {third}",
                colour.other()
            ),
        };
        let (ending, message) = match (self.turn.record.goal, self.facts.weighted) {
            (Goal::Rollback, _) => (
                Ending::Failed,
                format!(
                    "the rollback itself was taken back, {colour} has all traffic with version {version}: {reason}"
                ),
            ),
            (Goal::Deploy, false) => (
                Ending::Failed,
                format!("the new version never got traffic, and nothing is left changed: {reason}"),
            ),
            (Goal::Deploy, true) | (Goal::Undo, _) => {
                (Ending::RolledBack, format!("{holds}: {reason}"))
            }
        };
        self.turn.end(ending, message, None);
    }

    /// A retirement that this rollout had scheduled for the old side must not empty it now.
    fn undo_own_retirement(&mut self) -> bool {
        if self.retirement_of_the_old_side().is_none() {
            return true;
        }
        let group = self.side(self.from).group.clone();
        self.turn.send(Action::Unschedule { group });
        false
    }

    /// Our refresh of the new side, if still active, is cancelled.
    fn undo_refresh(&mut self) -> bool {
        let Some(seen) = self.seen(self.to()) else { return false };
        let Some(refresh) = active(seen) else { return true };
        let before = self.facts.sides[self.to()].version;
        let facts = self.facts.refresh.as_ref();
        if facts.is_some_and(|f| f.version == before) {
            // The refresh back: until it has ended nothing else of the group is changed.
            self.undo_version();
            return false;
        }
        let template = self.turn.plan.template.as_str();
        let ours = facts.and_then(|facts| ours(seen, facts, template, &idle_preferences()));
        if ours.is_some_and(|ours| ours.id == refresh.id) {
            if refresh.status != crate::model::RefreshStatus::Cancelling {
                let group = self.side(self.to()).group.clone();
                self.turn.send(Action::CancelRefresh { group });
            }
            self.turn.wait("our instance refresh is being cancelled", None);
        } else {
            self.turn.wait("somebody else's instance refresh is active", None);
        }
        false
    }

    /// The new side's size: back to none if it was empty, else only its minimum.
    fn undo_size(&mut self) -> bool {
        let to = self.to();
        let Some(seen) = self.seen(to) else { return false };
        let (facts, capacity) = (self.facts.sides[to].clone(), seen.group.capacity);
        let ours = self.wrote(to, capacity.min);
        let group = self.side(to).group.clone();
        if facts.empty && !facts.pinned.is_empty() && (ours || capacity.min == facts.min) {
            if capacity.min == facts.min
                && capacity.desired == facts.min
                && seen.group.instances.is_empty()
            {
                return true;
            }
            if self.until_idle_for_t().is_some() {
                self.wait_for_idleness(format!(
                    "{group} must have been without traffic before it is emptied"
                ));
            } else if capacity.min != facts.min || capacity.desired != facts.min {
                self.turn.send(Action::SetSize { group, size: facts.min });
            } else {
                self.turn.wait(format!("{group} empties"), None);
            }
            return false;
        }
        if ours && capacity.min != facts.min {
            if self.until_idle_for_t().is_some() {
                self.wait_for_idleness(format!(
                    "{group} must have been without traffic before it may shrink"
                ));
                return false;
            }
            self.turn.tell(Event::Minimum {
                group: group.clone(),
                min: facts.min,
                message: "as before".to_owned(),
            });
            self.turn.send(Action::minimum(group, facts.min));
            return false;
        }
        true
    }

    /// The new side's version: back to the number that it was saved at.
    fn undo_version(&mut self) -> bool {
        let before = self.facts.sides[self.to()].version;
        let Some(seen) = self.seen(self.to()) else { return false };
        let now = saved(seen, &self.turn.plan.template);
        let record = &self.turn.record;
        let ours = |version| record.version == Some(version) || record.abandoned.contains(&version);
        if now != Some(before) && !now.is_some_and(ours) {
            let (group, now) = (&self.side(self.to()).group, launches_from(seen));
            self.turn.notice(format!(
                "{group} launches from {now}, which is neither ours nor as before: left alone"
            ));
            return true;
        }
        match self.bring_to(before) {
            Bringing::Done => true,
            Bringing::Waiting => false,
            Bringing::Failed(why) => {
                self.turn.notice(format!("{why}; asking again"));
                self.facts.refresh = None;
                false
            }
        }
    }

    /// Rules that did not name the new side before do so no longer.
    fn undo_rules(&mut self, rules: &[&Rule]) -> bool {
        let facts: Vec<RuleFacts> =
            self.facts.rules.iter().chain(&self.facts.test).cloned().collect();
        for fact in facts {
            let is_test = self.facts.test.as_ref().is_some_and(|t| t.id == fact.id);
            let seen = if is_test {
                self.test_rule()
            } else {
                rules.iter().copied().find(|rule| rule.id == fact.id)
            };
            let Some((rule, now)) = seen.and_then(|rule| Some((rule, rule.forward.as_ref()?)))
            else {
                continue;
            };
            let before = self.forward_before(&fact);
            // Never anything that takes traffic from the side that has it.
            let harmless = is_test || before.share(&self.side(self.from).target_group) == 100;
            let written = is_test || now.weights == self.forward(rule, 0).weights;
            if written && harmless && before != *now && !before.weights.is_empty() {
                self.turn.send(Action::SetForward { rule: rule.id.clone(), forward: before });
            }
        }
        self.turn.actions.is_empty()
    }

    fn forward_before(&self, facts: &RuleFacts) -> Forward {
        let mut pairs: Vec<(String, u16)> = crate::model::Colour::BOTH
            .iter()
            .filter_map(|c| Some((self.side(*c).target_group.clone(), facts.weights[*c]?)))
            .collect();
        pairs.sort();
        let stickiness = facts.sticky.map(|seconds| Stickiness { seconds });
        Forward { weights: pairs, stickiness }
    }

    /// A retirement of the new side that we deleted is put back.
    fn undo_retirement(&mut self) -> bool {
        let Some(before) = self.facts.sides[self.to()].retirement else { return true };
        let Some(seen) = self.seen(self.to()) else { return false };
        if retirement(&seen.scheduled).is_some() {
            return true;
        }
        let soonest = jiff::Timestamp::from_second(self.turn.seen.now.as_second() + 240);
        let at = before.at.max(soonest.unwrap_or(before.at));
        let group = self.side(self.to()).group.clone();
        self.turn.send(Action::Schedule { group, at, size: before.size });
        false
    }

    /// The old side's minimum, if it still reads as we pinned it.
    fn undo_pin(&mut self) -> bool {
        let Some(seen) = self.seen(self.from) else { return false };
        let (facts, reads) = (self.facts.sides[self.from].clone(), seen.group.capacity.min);
        if reads == facts.min || facts.pinned.is_empty() {
            return true;
        }
        let group = self.side(self.from).group.clone();
        if !self.wrote(self.from, reads) {
            self.turn.notice(format!(
                "the minimum of {group} is {reads}, which is not ours: left alone"
            ));
            return true;
        }
        self.turn.tell(Event::Minimum {
            group: group.clone(),
            min: facts.min,
            message: "as before".to_owned(),
        });
        self.turn.send(Action::minimum(group, facts.min));
        false
    }
}
