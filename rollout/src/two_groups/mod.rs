//! Two groups that take turns: update the idle one to the version, add it to every rule, shift traffic step by step,
//! settle; or roll everything back. Blue-green, canary and linear differ only in their steps.

mod add_to_rules;
mod idle_side;
mod settle;
mod shift;
mod takeover;
mod undo;

use std::time::Duration;

use jiff::Timestamp;

use super::tick::Tick;
use super::{NotReady, Pair, Side, gate};
use crate::model::{
    Color, Event, FleetFacts, Forward, PerColor, Phase, Rule, Stickiness, TwoGroupsFacts,
};

/// Decides one tick.
pub(super) fn decide(tick: &mut Tick<'_>, pair: &Pair) {
    let FleetFacts::TwoGroups(facts) = &tick.record.fleet else { return };
    let mut machine = Machine { old_color: facts.old, facts: (**facts).clone(), pair, tick };
    machine.run();
    let facts = machine.facts;
    tick.record.fleet = FleetFacts::TwoGroups(Box::new(facts));
}

/// Proves that all traffic is on the record's version.
pub(super) fn prove(tick: &mut Tick<'_>, pair: &Pair) -> Result<(), NotReady> {
    let FleetFacts::TwoGroups(facts) = &tick.record.fleet else {
        return Err(NotReady::new("the record is of one group, but the configuration has two"));
    };
    let machine = Machine { old_color: facts.old, facts: (**facts).clone(), pair, tick };
    let to = machine.side(machine.new_color());
    NotReady::unless(gate::receives_all(pair, machine.tick.observation, to), || {
        format!("{} does not receive all of the traffic", to.group)
    })?;
    machine.prove()
}

/// The state machine during one tick. Its facts are written back to the record at the end.
struct Machine<'m, 'a, 'p> {
    tick: &'m mut Tick<'a>,
    pair: &'p Pair,
    facts: TwoGroupsFacts,
    old_color: Color,
}

impl<'a> Machine<'_, 'a, '_> {
    fn run(&mut self) {
        for color in Color::BOTH {
            if self.tick.group_or_stuck(&self.pair.sides[color].group).is_none() {
                return;
            }
        }
        self.track_traffic();
        let rules = gate::observed_rules(self.pair, self.tick.observation);
        if self.is_forward() && (rules.len() < self.pair.rules.len() || self.test_rule_is_gone()) {
            self.start_rollback("a rule of this rollout was deleted, or no longer forwards");
            return;
        }
        if self.is_forward()
            && let Some((rule, third)) = gate::third_target_group(self.pair, self.tick.observation)
        {
            self.start_rollback(format!(
                "an external change set the weights: {rule} forwards to {third}, which belongs to neither side"
            ));
            return;
        }
        // Waits for what is not ready or was not read: nothing is decided without it.
        let ready = self.step(&rules);
        self.tick.wait_unless_ready(ready);
    }

    fn step(&mut self, rules: &[&Rule]) -> Result<(), NotReady> {
        if let Some(refused) = self.tick.observation.refused.clone() {
            return self.handle_refusal(refused);
        }
        match self.tick.record.phase {
            Phase::TakeOver => self.take_over(),
            Phase::Prepare | Phase::Done => Ok(()),
            Phase::CancelScaleIn => self.cancel_scale_in(),
            Phase::Refresh => self.refresh(),
            Phase::ScaleOut => self.scale_out(),
            Phase::AddToRules => self.add_to_rules(rules),
            Phase::Healthy => self.healthy(),
            Phase::SmokeTest => self.smoke_test(),
            Phase::Shift => self.shift(rules),
            Phase::Bake => self.bake(),
            Phase::Settle => self.settle(),
            Phase::Verify => self.verify(),
            Phase::ScheduleScaleIn => self.schedule_scale_in(),
            Phase::RestoreTraffic => self.restore_traffic(),
            Phase::Undo => self.undo(rules),
        }
    }

    /// Handles a change that AWS refuses for good: a rollout that goes forward is rolled back, and a rollback ends as
    /// stuck, because a person has to fix the permissions.
    fn handle_refusal(&mut self, why: String) -> Result<(), NotReady> {
        match self.tick.record.phase {
            Phase::RestoreTraffic | Phase::Undo => {
                let hint = "fix the cause, then run `cutover rollback` again to resume";
                self.tick.stuck(format!("AWS refused a change during the rollback: {why}"), hint);
                Ok(())
            }
            // The new version is proven by then, so the rollout succeeds. Both MinSizes are still put in order.
            Phase::ScheduleScaleIn => {
                self.tick.notice(format!("the old group must be scaled in by hand: {why}"));
                if self.tick.is_overdue(self.tick.plan.deadlines.healthy) {
                    self.succeed();
                    Ok(())
                } else {
                    self.finish_min_sizes(true)
                }
            }
            _ => {
                self.start_rollback(why);
                Ok(())
            }
        }
    }

    /// Returns whether the rollout is past its preparation and goes forward.
    fn is_forward(&self) -> bool {
        let phase = self.tick.record.phase;
        phase > Phase::Prepare && phase < Phase::RestoreTraffic
    }

    fn test_rule_is_gone(&self) -> bool {
        self.pair.test_rule.is_some() && self.test_rule().is_none()
    }

    /// Returns the observed test rule, if it exists and forwards.
    fn test_rule(&self) -> Option<&'a Rule> {
        let id = self.pair.test_rule.as_ref()?;
        self.tick.observation.rules.iter().find(|rule| rule.id == *id && rule.forward.is_some())
    }

    /// Tracks since when the new side has been observed without traffic, since when a rule outside the plan has sent
    /// traffic to it, and since when no rule of the plan has forwarded.
    fn track_traffic(&mut self) {
        let (observation, to) = (self.tick.observation, self.side(self.new_color()));
        let without_share = gate::largest_share(self.pair, observation, to) == 0;
        let ruleless = gate::observed_rules(self.pair, observation).is_empty();
        let since =
            |was: Option<Timestamp>, holds: bool| holds.then(|| was.unwrap_or(observation.now));
        match gate::other_rule(observation, to) {
            Ok(other) => {
                let idle = without_share && other.is_none();
                self.facts.idle_since = since(self.facts.idle_since, idle);
                self.facts.kept_busy_since = since(self.facts.kept_busy_since, other.is_some());
            }
            // If the other rules were not read, the time without traffic may continue, but not begin.
            Err(_) => {
                self.facts.idle_since = self.facts.idle_since.filter(|_| without_share);
                self.facts.kept_busy_since = None;
            }
        }
        self.facts.ruleless_since = since(self.facts.ruleless_since, ruleless);
    }

    /// Returns whether what began at `since` has lasted longer than `limit`.
    fn has_lasted(&self, since: Option<Timestamp>, limit: Duration) -> bool {
        since.is_some_and(|since| self.tick.elapsed_since(since) > limit)
    }

    /// Returns the time until the new side has been without traffic at both ends of a window of at least T, after which
    /// lowering its healthy capacity affects nobody; `None` if that time has passed.
    fn remaining_idle_time(&self) -> Option<Duration> {
        let idle =
            self.facts.idle_since.map_or(Duration::ZERO, |since| self.tick.elapsed_since(since));
        super::T.checked_sub(idle).filter(|left| !left.is_zero())
    }

    /// Waits until the new side has been without traffic for T. If a rule outside the plan prevents that for too
    /// long, a person must decide.
    fn wait_until_idle(&mut self, message: String) -> Result<(), NotReady> {
        let group = &self.side(self.new_color()).group;
        let Some(rule) = gate::other_rule(self.tick.observation, self.side(self.new_color()))?
        else {
            return Err(NotReady::new(message));
        };
        let why =
            format!("{} sends traffic to {group}, but is not a rule of this rollout", rule.id);
        let limit = self.tick.plan.deadlines.healthy;
        if self.has_lasted(self.facts.kept_busy_since, limit) {
            self.tick
                .stuck(why, "remove the group's target group from that rule, then run `cutover rollback` to resume");
        } else {
            self.tick.report_waiting(why, Some(limit));
        }
        Ok(())
    }

    fn new_color(&self) -> Color {
        self.old_color.other()
    }

    fn side(&self, color: Color) -> &Side {
        &self.pair.sides[color]
    }

    /// Returns the observed group of a color.
    fn observed_group(&self, color: Color) -> Result<&'a super::ObservedGroup, NotReady> {
        self.tick.observed_group(&self.pair.sides[color].group)
    }

    /// Returns the versions whose instances may receive a side's traffic. On the old side these include the versions
    /// that ran when the rollout began: a rollback only requires that they were live.
    fn accepted_versions(&self, color: Color) -> Vec<u64> {
        let before = self.facts.sides[color].running.iter().filter(|_| color == self.old_color);
        before.copied().chain([self.expected_version(color)]).collect()
    }

    /// Returns the version that a side is to launch from.
    fn expected_version(&self, color: Color) -> u64 {
        if color == self.old_color {
            self.facts.sides[color].version
        } else {
            self.tick.record.version.unwrap_or(self.facts.sides[color].version)
        }
    }

    /// Compares a side's ready targets with what a step forward to a share of `percent` requires.
    fn readiness(&self, color: Color, percent: u8) -> gate::Readiness {
        let desired = gate::largest_desired(self.pair, self.tick.observation);
        self.readiness_of(color, percent, desired)
    }

    /// Compares the old side's ready targets with what all traffic requires, while the new side has `share` percent.
    fn rollback_readiness(&self, share: u8) -> gate::Readiness {
        let desired =
            gate::desired_for_rollback(self.pair, self.tick.observation, self.old_color, share);
        self.readiness_of(self.old_color, 100, desired)
    }

    fn readiness_of(&self, color: Color, percent: u8, desired: u32) -> gate::Readiness {
        let (plan, observation, versions) =
            (self.tick.plan, self.tick.observation, self.accepted_versions(color));
        gate::readiness(plan, self.pair, observation, color, &versions, (percent, desired))
    }

    fn emit_health(&mut self, color: Color, standing: gate::Readiness) {
        self.tick.emit(Event::Health {
            group: self.side(color).group.clone(),
            healthy: standing.ready,
            needed: standing.needed,
            instances: standing.instances,
        });
    }

    /// Sets a group's MinSize, and records the value so that the undo recognizes it.
    fn set_min_size(&mut self, color: Color, min: u32, why: &str) -> Result<(), NotReady> {
        self.record_own_min_size(color)?;
        if !self.has_set_min_size(color, min) {
            self.facts.sides[color].min_sizes_set.push(min);
        }
        let group = self.side(color).group.clone();
        self.tick.emit(Event::MinSize { group: group.clone(), min, message: why.to_owned() });
        self.tick.send(super::Action::min_size(group, min));
        Ok(())
    }

    /// Records a group's own MinSize right before it is first changed. What was read before the claim may be
    /// outdated: a scheduled scale-in may have run between two reads, or a person may have changed MinSize since. An
    /// inherited value stays, because the group may have changed its role since it was read.
    fn record_own_min_size(&mut self, color: Color) -> Result<(), NotReady> {
        let inherited = self.tick.record.continues.is_some();
        if inherited || !self.facts.sides[color].min_sizes_set.is_empty() {
            return Ok(());
        }
        let capacity = self.observed_group(color)?.group.capacity;
        let side = &mut self.facts.sides[color];
        (side.min, side.empty) = (capacity.min, capacity.desired == 0);
        Ok(())
    }

    /// Returns whether this rollout has set a group's MinSize to `min`.
    fn has_set_min_size(&self, color: Color, min: u32) -> bool {
        self.facts.sides[color].min_sizes_set.contains(&min)
    }

    /// Returns both shares if the new side has `percent`.
    fn shares(&self, percent: u8) -> PerColor<u8> {
        let to = self.new_color();
        PerColor::from_fn(|c| if c == to { percent } else { 100 - percent })
    }

    /// Returns the forward action for these shares. With group stickiness, weight 0 does not move clients that hold a
    /// cookie, so at the end of a rollout or rollback the action names only one target group.
    fn forward(&self, rule: &Rule, percent: u8) -> Forward {
        let sticky = self.sticky(rule);
        if sticky.is_some() && self.moves_sticky_clients(percent) {
            let winner = if percent == 0 { self.old_color } else { self.new_color() };
            // Stickiness stays enabled for the next rollout; with one target group it has no effect.
            return Forward {
                stickiness: sticky,
                ..Forward::only(&self.side(winner).target_group)
            };
        }
        let shares = self.shares(percent);
        let mut pairs: Vec<(String, u16)> = Color::BOTH
            .iter()
            .map(|c| (self.side(*c).target_group.clone(), u16::from(shares[*c])))
            .collect();
        pairs.sort();
        Forward { weights: pairs, stickiness: sticky }
    }

    /// Returns whether a share of `percent` must move clients that may hold a cookie of the other side. Going forward,
    /// that is done only if the test rule keeps the health checks of the other side running.
    fn moves_sticky_clients(&self, percent: u8) -> bool {
        match percent {
            0 => self.facts.weighted,
            100 => self.pair.test_rule.is_some(),
            _ => false,
        }
    }

    /// Returns the rule's group stickiness from before the rollout.
    fn sticky(&self, rule: &Rule) -> Option<Stickiness> {
        let facts = self.facts.rules.iter().find(|facts| facts.id == rule.id);
        let seconds = facts.and_then(|facts| facts.sticky)?;
        Some(Stickiness { seconds })
    }

    /// Starts the rollback, already in this tick.
    fn start_rollback(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        self.tick.emit(Event::RollingBack { reason: reason.clone() });
        self.tick.record.set_reason(&reason);
        self.tick.actions.clear();
        self.tick.record.phase = Phase::RestoreTraffic;
        self.tick.record.since = self.tick.observation.now;
        // If something is not ready, the next tick waits for it: the new phase reads everything that it needs.
        let ready = self.restore_traffic();
        self.tick.wait_unless_ready(ready);
    }
}
