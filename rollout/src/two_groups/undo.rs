//! The rollback: first restores traffic, behind the gate of the side that receives it; then undoes every other change,
//! each only if it still has the value that the rollout set.

use super::Machine;
use super::idle_side::{SCHEDULED_ACTION_TOLERANCE, UpdateProgress, idle_preferences};
use crate::model::{Event, Forward, Goal, Phase, Rule, RuleFacts, Status, Stickiness};
use crate::mutant::{self, Mutant};
use crate::refresh::{active_refresh, describe_source, own_refresh, saved_version};
use crate::{Action, NotReady, T, gate, scheduled_scale_in};

/// How often traffic is restored again while the other changes are undone.
const MAX_RESTORES: u8 = 3;

/// Whether a part of the undo is done or still under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UndoProgress {
    Done,
    UnderWay,
}

/// A part of the undoing: sends what it needs next, if anything.
type UndoPart<M> = fn(&mut M) -> Result<UndoProgress, NotReady>;

impl Machine<'_, '_, '_> {
    /// Restores all traffic to the old side, with one change per rule, before the record is saved.
    pub(super) fn restore_traffic(&mut self) -> Result<(), NotReady> {
        let rules = gate::observed_rules(self.pair, self.tick.observation);
        if rules.is_empty() {
            self.wait_for_a_rule();
            return Ok(());
        }
        let (new, old) = (self.side(self.new_color()).clone(), self.side(self.old_color).clone());
        let share = gate::largest_share(self.pair, self.tick.observation, &new);
        let (mut astray, others): (Vec<&Rule>, Vec<&Rule>) =
            rules.into_iter().partition(|rule| self.leaks_traffic(rule));
        if self.reads_may_be_stale() && !astray.is_empty() {
            // If one rule sends traffic to the new side, the others may just not show that yet.
            astray.extend(others);
        }
        if astray.is_empty() {
            self.traffic_restored();
            return Ok(());
        }
        let standing = self.rollback_readiness(share);
        // The tick that decides to roll back may not have read the scheduled actions. Traffic does not wait for them:
        // the next tick reads them, and a rollout that goes forward has scheduled none.
        let due = self.old_side_scale_in().unwrap_or(None);
        let bears = standing.passes() || mutant::on(Mutant::RestoresWithoutCapacity);
        if bears && due != Some(true) {
            let shares = self.shares(0);
            self.tick.emit(Event::Traffic { shares, verified: false });
            for rule in astray {
                let forward = self.restoring_forward(rule);
                self.tick.send_before_saving(Action::SetForward { rule: rule.id.clone(), forward });
            }
        } else {
            self.hold_weights(standing, share)?;
        }
        if due.is_some() {
            self.tick.send(Action::CancelScaleIn { group: old.group.clone() });
        }
        if self.tick.is_overdue(self.tick.plan.deadlines.healthy) {
            self.tick.actions.clear();
            self.tick.stuck(
                format!(
                    "traffic could not be restored to {}: {} of {} needed targets are healthy there, and {} still receives {share}%",
                    old.group, standing.ready, standing.needed, new.group
                ),
                "make the old group healthy, then run `cutover rollback` to resume",
            );
        }
        Ok(())
    }

    /// Returns whether a rule withholds traffic from the old side: it sends some to the new side, or not all to the
    /// old one although there is no third target group. What an external change gave to a third target group stays
    /// there.
    fn leaks_traffic(&self, rule: &Rule) -> bool {
        let (new, old) = (self.side(self.new_color()), self.side(self.old_color));
        rule.forward.as_ref().is_some_and(|forward| {
            let shared = gate::third_target_groups(self.pair, forward).next().is_some();
            forward.share(&new.target_group) > 0
                || (!shared && forward.share(&old.target_group) < 100)
        })
    }

    /// Returns the forward action that moves the new side's weight to the old side and keeps a third target group's
    /// weight.
    fn restoring_forward(&self, rule: &Rule) -> Forward {
        let plain = self.forward(rule, 0);
        let Some(now) = &rule.forward else { return plain };
        let thirds: Vec<(String, u16)> =
            gate::third_target_groups(self.pair, now).cloned().collect();
        if thirds.is_empty() {
            return plain;
        }
        let weight = |color| now.weight(&self.side(color).target_group).unwrap_or(0);
        // 999 is the largest weight (API model).
        let back = (weight(self.old_color) + weight(self.new_color())).min(999);
        let old = &self.side(self.old_color).target_group;
        let pair = plain.weights.into_iter();
        let pair = pair.map(|(arn, weight)| if arn == *old { (arn, back) } else { (arn, weight) });
        let mut weights: Vec<(String, u16)> = pair.chain(thirds).collect();
        weights.sort();
        Forward { weights, stickiness: plain.stickiness }
    }

    /// Waits for a rule that may be missing only for a moment, and then ends as stuck: without a rule that forwards,
    /// there is no traffic to restore.
    fn wait_for_a_rule(&mut self) {
        if self.has_lasted(self.facts.ruleless_since, T) {
            let old = &self.side(self.old_color).target_group;
            let hint = format!(
                "make a rule forward all traffic to {old} again, then run `cutover rollback` to undo the other changes"
            );
            self.tick.stuck("every rule of this rollout was deleted, or no longer forwards", hint);
        } else {
            self.tick.report_waiting("no rule of this rollout forwards at the moment", Some(T));
        }
    }

    /// Returns whether a scale-in of the old side is scheduled, and if so, whether it is due about now: then traffic
    /// must not be restored before it is canceled.
    fn old_side_scale_in(&self) -> Result<Option<bool>, NotReady> {
        let action = scheduled_scale_in(self.observed_group(self.old_color)?.scheduled()?);
        let now = self.tick.observation.now;
        let is_due = |at: jiff::Timestamp| {
            at.duration_since(now).unsigned_abs() <= SCHEDULED_ACTION_TOLERANCE
        };
        Ok(action.map(|action| action.at.is_some_and(is_due)))
    }

    /// Keeps the weights because the old side cannot take all traffic, and raises its MinSize: shifting traffic would
    /// not add capacity.
    fn hold_weights(&mut self, old: gate::Readiness, share: u8) -> Result<(), NotReady> {
        self.emit_health(self.old_color, old);
        let new = self.readiness(self.new_color(), share);
        let capacity = self.observed_group(self.old_color)?.group.capacity;
        let want = old.needed.min(capacity.max);
        if capacity.min < want {
            self.set_min_size(self.old_color, want, "because the rollback needs the capacity")?;
        }
        let message = if new.passes() {
            "the old side cannot take all traffic yet, and the new side handles its share: the weights stay"
        } else {
            "neither side is healthy: the weights stay, because shifting traffic adds no capacity"
        };
        self.tick.report_waiting(message, Some(self.tick.plan.deadlines.healthy));
        Ok(())
    }

    fn traffic_restored(&mut self) {
        if let Some((rule, third)) = gate::third_target_group(self.pair, self.tick.observation) {
            self.tick.notice(format!(
                "{rule} forwards to {third}, which belongs to neither side: left as it is"
            ));
        } else {
            let shares = self.shares(0);
            self.tick.emit(Event::Traffic { shares, verified: true });
        }
        if self.tick.record.restart {
            self.start_again("traffic is back on the previous version: starting again");
        } else {
            self.facts.step = 0;
            self.facts.shifted = None;
            self.tick.enter(
                Phase::Undo,
                "traffic is back on the previous version: undoing the other changes",
            );
        }
    }

    /// Undoes one change per tick, in an order that never takes anything from a side that receives traffic.
    pub(super) fn undo(&mut self, rules: &[&Rule]) -> Result<(), NotReady> {
        if rules.iter().any(|rule| self.leaks_traffic(rule)) {
            return self.traffic_moved_again();
        }
        let limit = self.tick.plan.deadlines.refresh + self.tick.plan.deadlines.healthy;
        if self.tick.is_overdue(limit) {
            self.tick.stuck(
                "traffic is back on the previous version, but the other changes could not be undone in time",
                "run `cutover status` to see what differs, then `cutover rollback` to resume",
            );
            return Ok(());
        }
        let parts: [UndoPart<Self>; 7] = [
            Self::cancel_own_scale_in,
            Self::undo_refresh,
            Self::undo_capacity,
            Self::undo_version,
            Self::undo_rules,
            Self::reschedule_scale_in,
            Self::undo_min_size,
        ];
        for part in parts {
            if part(self)? == UndoProgress::UnderWay {
                return Ok(());
            }
        }
        self.end_rolled_back();
        Ok(())
    }

    /// Restores traffic that left the old side again, because of an external change or a late request. After a few
    /// times a person must decide.
    fn traffic_moved_again(&mut self) -> Result<(), NotReady> {
        self.facts.relapses += 1;
        if self.facts.relapses > MAX_RESTORES {
            self.tick.stuck(
                "external changes keep taking traffic from the previous version",
                "find out what changes the weights and stop it, then run `cutover rollback` to resume",
            );
            return Ok(());
        }
        self.tick.notice("the previous version lost traffic again: restoring it");
        self.tick.record.phase = Phase::RestoreTraffic;
        self.tick.record.since = self.tick.observation.now;
        self.restore_traffic()
    }

    fn end_rolled_back(&mut self) {
        let reason = self.tick.record.reason.clone().unwrap_or_else(|| "requested".to_owned());
        let (color, version) = (self.old_color, self.facts.sides[self.old_color].version);
        let holds = match gate::third_target_group(self.pair, self.tick.observation) {
            None => format!("all traffic is back on {color}, version {version}"),
            Some((rule, third)) => format!(
                "{} receives no traffic; {color}, version {version}, receives what {rule} does not send to {third}",
                color.other()
            ),
        };
        let (ending, message) = match (self.tick.record.goal, self.facts.weighted) {
            (Goal::Rollback, _) => (
                Status::Failed,
                format!(
                    "the rollback failed and was undone, all traffic is on {color}, version {version}: {reason}"
                ),
            ),
            (Goal::Deploy, false) => (
                Status::Failed,
                format!(
                    "the new version never received traffic, and every change was undone: {reason}"
                ),
            ),
            (Goal::Deploy, true) | (Goal::Undo, _) => {
                (Status::RolledBack, format!("{holds}: {reason}"))
            }
        };
        self.tick.end(ending, message, None);
    }

    /// Cancels the scale-in of the old side that this rollout had scheduled: the old side is live again.
    fn cancel_own_scale_in(&mut self) -> Result<UndoProgress, NotReady> {
        if self.old_side_scale_in()?.is_none() {
            return Ok(UndoProgress::Done);
        }
        let group = self.side(self.old_color).group.clone();
        self.tick.send(Action::CancelScaleIn { group });
        Ok(UndoProgress::UnderWay)
    }

    /// Cancels this rollout's refresh of the new side, if it is still active.
    fn undo_refresh(&mut self) -> Result<UndoProgress, NotReady> {
        let observed = self.observed_group(self.new_color())?;
        let Some(refresh) = active_refresh(observed)? else { return Ok(UndoProgress::Done) };
        let before = self.facts.sides[self.new_color()].version;
        let facts = self.facts.refresh.as_ref();
        if facts.is_some_and(|f| f.version == before) {
            // The refresh to the previous version: nothing else in the group is changed until it ends.
            self.undo_version()?;
            return Ok(UndoProgress::UnderWay);
        }
        let template = self.tick.plan.template.as_str();
        let ours = match facts {
            Some(facts) => own_refresh(observed, facts, template, &idle_preferences())?,
            None => None,
        };
        if ours.is_some_and(|ours| ours.id == refresh.id) {
            if refresh.status != crate::model::RefreshStatus::Cancelling {
                let group = self.side(self.new_color()).group.clone();
                self.tick.send(Action::CancelRefresh { group });
            }
            self.tick.report_waiting("this rollout's instance refresh is being canceled", None);
        } else {
            self.tick.report_waiting(
                "an instance refresh that this rollout did not start is active",
                None,
            );
        }
        Ok(UndoProgress::UnderWay)
    }

    /// Restores the new side's size: no instances if it was empty, otherwise only its MinSize.
    fn undo_capacity(&mut self) -> Result<UndoProgress, NotReady> {
        let to = self.new_color();
        let observed = self.observed_group(to)?;
        let (facts, capacity) = (self.facts.sides[to].clone(), observed.group.capacity);
        // MaxSize may have been lowered since.
        let min = facts.min.min(capacity.max);
        let ours = self.has_set_min_size(to, capacity.min);
        let group = self.side(to).group.clone();
        if facts.empty && !facts.min_sizes_set.is_empty() && (ours || capacity.min == min) {
            if capacity.min == min && capacity.desired == min && observed.group.instances.is_empty()
            {
                return Ok(UndoProgress::Done);
            }
            if self.remaining_idle_time().is_some() {
                self.wait_until_idle(format!(
                    "{group} must be without traffic for a while before it is scaled in"
                ))?;
            } else if capacity.min != min || capacity.desired != min {
                self.tick.send(Action::SetMinSizeAndDesired { group, size: min });
            } else {
                self.tick.report_waiting(format!("the instances of {group} are terminating"), None);
            }
            return Ok(UndoProgress::UnderWay);
        }
        if ours && capacity.min != min {
            if self.remaining_idle_time().is_some() {
                self.wait_until_idle(format!(
                    "{group} must be without traffic for a while before its MinSize is lowered"
                ))?;
                return Ok(UndoProgress::UnderWay);
            }
            self.tick.emit(Event::MinSize {
                group: group.clone(),
                min,
                message: "as before the rollout".to_owned(),
            });
            self.tick.send(Action::min_size(group, min));
            return Ok(UndoProgress::UnderWay);
        }
        Ok(UndoProgress::Done)
    }

    /// Restores the version in the new side's saved configuration.
    fn undo_version(&mut self) -> Result<UndoProgress, NotReady> {
        let before = self.facts.sides[self.new_color()].version;
        let observed = self.observed_group(self.new_color())?;
        let now = saved_version(observed, &self.tick.plan.template);
        let record = &self.tick.record;
        let ours = |version| {
            record.version == Some(version) || record.superseded_versions.contains(&version)
        };
        if now != Some(before) && !now.is_some_and(ours) {
            let (group, now) = (&self.side(self.new_color()).group, describe_source(observed));
            self.tick.notice(format!(
                "an external change made {group} launch from {now}: left as it is"
            ));
            return Ok(UndoProgress::Done);
        }
        Ok(match self.update_to(before)? {
            UpdateProgress::Done => UndoProgress::Done,
            UpdateProgress::Waiting => UndoProgress::UnderWay,
            UpdateProgress::Failed(why) => {
                self.tick.notice(format!("{why}; starting another one"));
                self.facts.refresh = None;
                UndoProgress::UnderWay
            }
        })
    }

    /// Restores the forward actions of the rules and of the test rule, as they were before the rollout.
    fn undo_rules(&mut self) -> Result<UndoProgress, NotReady> {
        let rules = gate::observed_rules(self.pair, self.tick.observation);
        let facts: Vec<RuleFacts> =
            self.facts.rules.iter().chain(&self.facts.test).cloned().collect();
        for fact in facts {
            let is_test = self.facts.test.as_ref().is_some_and(|t| t.id == fact.id);
            let rule_now = if is_test {
                self.test_rule()
            } else {
                rules.iter().copied().find(|rule| rule.id == fact.id)
            };
            let Some((rule, now)) = rule_now.and_then(|rule| Some((rule, rule.forward.as_ref()?)))
            else {
                continue;
            };
            let before = self.original_forward(&fact);
            // Never a change that takes traffic from the side that has it.
            let harmless = is_test || before.share(&self.side(self.old_color).target_group) == 100;
            let written = is_test || now.weights == self.forward(rule, 0).weights;
            if written && harmless && before != *now && !before.weights.is_empty() {
                self.tick.send(Action::SetForward { rule: rule.id.clone(), forward: before });
            }
        }
        Ok(if self.tick.actions.is_empty() { UndoProgress::Done } else { UndoProgress::UnderWay })
    }

    fn original_forward(&self, facts: &RuleFacts) -> Forward {
        let mut pairs: Vec<(String, u16)> = crate::model::Color::BOTH
            .iter()
            .filter_map(|c| Some((self.side(*c).target_group.clone(), facts.weights[*c]?)))
            .collect();
        pairs.sort();
        let stickiness = facts.sticky.map(|seconds| Stickiness { seconds });
        Forward { weights: pairs, stickiness }
    }

    /// Reschedules the scale-in of the new side that this rollout had canceled.
    fn reschedule_scale_in(&mut self) -> Result<UndoProgress, NotReady> {
        let Some(before) = self.facts.sides[self.new_color()].scale_in else {
            return Ok(UndoProgress::Done);
        };
        if scheduled_scale_in(self.observed_group(self.new_color())?.scheduled()?).is_some() {
            return Ok(UndoProgress::Done);
        }
        let soonest = jiff::Timestamp::from_second(self.tick.observation.now.as_second() + 240);
        let at = before.at.max(soonest.unwrap_or(before.at));
        let group = self.side(self.new_color()).group.clone();
        self.tick.send(Action::ScheduleScaleIn { group, at, size: before.size });
        Ok(UndoProgress::UnderWay)
    }

    /// Restores the old side's MinSize, if it still has a value that this rollout set.
    fn undo_min_size(&mut self) -> Result<UndoProgress, NotReady> {
        let capacity = self.observed_group(self.old_color)?.group.capacity;
        let facts = &self.facts.sides[self.old_color];
        // MaxSize may have been lowered since.
        let (reads, min) = (capacity.min, facts.min.min(capacity.max));
        if reads == min || facts.min_sizes_set.is_empty() {
            return Ok(UndoProgress::Done);
        }
        let group = self.side(self.old_color).group.clone();
        if !self.has_set_min_size(self.old_color, reads) {
            self.tick.notice(format!(
                "MinSize of {group} is {reads}, which this rollout did not set: left as it is"
            ));
            return Ok(UndoProgress::Done);
        }
        self.tick.emit(Event::MinSize {
            group: group.clone(),
            min,
            message: "as before the rollout".to_owned(),
        });
        self.tick.send(Action::min_size(group, min));
        Ok(UndoProgress::UnderWay)
    }
}
