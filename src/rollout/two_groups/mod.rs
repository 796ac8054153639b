//! Two groups that take turns: bring the idle one to the version, join it to every rule, move
//! traffic step by step, settle; or take everything back. Blue-green, canary and linear differ in
//! their steps alone.

mod join;
mod prepare;
mod settle;
mod shift;
mod takeover;
mod undo;

use std::time::Duration;

use jiff::Timestamp;

use super::turn::Turn;
use super::{Pair, Side, gate};
use crate::model::{
    Colour, Event, FleetFacts, Forward, PerColour, Phase, Rule, Stickiness, TwoGroupsFacts,
};

/// One turn.
pub(super) fn decide(turn: &mut Turn<'_>, pair: &Pair) {
    let FleetFacts::TwoGroups(facts) = &turn.record.fleet else { return };
    let mut machine = Machine { from: facts.from, facts: (**facts).clone(), pair, turn };
    machine.run();
    let facts = machine.facts;
    turn.record.fleet = FleetFacts::TwoGroups(Box::new(facts));
}

/// What is missing to the proof that all traffic is on the record's version.
pub(super) fn unproven(turn: &mut Turn<'_>, pair: &Pair) -> Option<String> {
    let FleetFacts::TwoGroups(facts) = &turn.record.fleet else { return None };
    let machine = Machine { from: facts.from, facts: (**facts).clone(), pair, turn };
    let to = machine.side(machine.to());
    if gate::smallest_share(pair, machine.turn.seen, to) < 100 {
        return Some(format!("{} does not have all of the traffic", to.group));
    }
    machine.unproven()
}

/// The machine during one turn: the facts are written back to the record at its end.
struct Machine<'m, 'a, 'p> {
    turn: &'m mut Turn<'a>,
    pair: &'p Pair,
    facts: TwoGroupsFacts,
    from: Colour,
}

impl<'a> Machine<'_, 'a, '_> {
    fn run(&mut self) {
        for colour in Colour::BOTH {
            if self.turn.group(&self.pair.sides[colour].group).is_none() {
                return;
            }
        }
        self.watch_traffic();
        let rules = gate::rules(self.pair, self.turn.seen);
        if self.is_forward() && (rules.len() < self.pair.rules.len() || self.test_rule_is_gone()) {
            self.take_back(
                "a rule that this rollout goes by does not exist any more, or forwards no more",
            );
            return;
        }
        if self.is_forward()
            && let Some((rule, third)) = gate::third(self.pair, self.turn.seen)
        {
            self.take_back(format!(
                "another hand changed the weights: {rule} forwards to {third}, which is not ours"
            ));
            return;
        }
        if let Some(refused) = self.turn.seen.refused.clone() {
            self.refused(refused);
            return;
        }
        match self.turn.record.phase {
            Phase::TakeOver => self.take_over(),
            Phase::Prepare | Phase::Done => {}
            Phase::Free => self.free(),
            Phase::Refresh => self.refresh(),
            Phase::Size => self.size(),
            Phase::Join => self.join(&rules),
            Phase::Healthy => self.healthy(),
            Phase::Smoke => self.smoke(),
            Phase::Shift => self.shift(&rules),
            Phase::Bake => self.bake(),
            Phase::Settle => self.settle(),
            Phase::Verify => self.verify(),
            Phase::Retire => self.retire(),
            Phase::TakeBack => self.give_back(),
            Phase::Undo => self.undo(&rules),
        }
    }

    /// A change that AWS refuses for good: forward there is no way, and where the way back is
    /// refused, a person must see to the permissions.
    fn refused(&mut self, why: String) {
        match self.turn.record.phase {
            Phase::TakeBack | Phase::Undo => {
                let hint = "mend what AWS refuses, then `cutover rollback` goes on";
                self.turn.stuck(format!("the way back was refused: {why}"), hint);
            }
            // The new version is proven by then. What else is to be left in order still is.
            Phase::Retire => {
                self.turn.notice(format!("the old group has to be retired by hand: {why}"));
                if self.turn.overdue(self.turn.plan.deadlines.healthy) {
                    self.succeed();
                } else {
                    self.leave_minimums(true);
                }
            }
            _ => self.take_back(why),
        }
    }

    /// Whether the rollout still goes forward, past its preparation.
    fn is_forward(&self) -> bool {
        let phase = self.turn.record.phase;
        phase > Phase::Prepare && phase < Phase::TakeBack
    }

    fn test_rule_is_gone(&self) -> bool {
        self.pair.test_rule.is_some() && self.test_rule().is_none()
    }

    /// The test rule, seen.
    fn test_rule(&self) -> Option<&'a Rule> {
        let id = self.pair.test_rule.as_ref()?;
        self.turn.seen.rules.iter().find(|rule| rule.id == *id && rule.forward.is_some())
    }

    /// Keeps since when the new side has been seen without any weight, and since when another hand has
    /// kept it from that, or left no rule to go by.
    fn watch_traffic(&mut self) {
        let (seen, to) = (self.turn.seen, self.side(self.to()));
        let busy = gate::other_rule(seen, to).is_some();
        let idle = !busy && gate::largest_share(self.pair, seen, to) == 0;
        let ruleless = gate::rules(self.pair, seen).is_empty();
        let since = |was: Option<Timestamp>, holds: bool| holds.then(|| was.unwrap_or(seen.now));
        self.facts.idle_since = since(self.facts.idle_since, idle);
        self.facts.kept_busy_since = since(self.facts.kept_busy_since, busy);
        self.facts.ruleless_since = since(self.facts.ruleless_since, ruleless);
    }

    /// Whether what began then has lasted for longer than the limit.
    fn lasts(&self, since: Option<Timestamp>, limit: Duration) -> bool {
        since.is_some_and(|since| self.turn.since(since) > limit)
    }

    /// What is left until the new side has been without weight at both ends of a window of at least
    /// T, so that lowering its healthy capacity can hurt nobody; `None` where it has been.
    fn until_idle_for_t(&self) -> Option<Duration> {
        let idle = self.facts.idle_since.map_or(Duration::ZERO, |since| self.turn.since(since));
        super::T.checked_sub(idle).filter(|left| !left.is_zero())
    }

    /// Waits until the new side has been without weight for T. A rule that is not ours to change may
    /// keep it from that: a person's question.
    fn wait_for_idleness(&mut self, message: String) {
        let group = &self.side(self.to()).group;
        let Some(rule) = gate::other_rule(self.turn.seen, self.side(self.to())) else {
            self.turn.wait(message, None);
            return;
        };
        let why = format!("{} gives traffic to {group}, which this rollout does not move", rule.id);
        let limit = self.turn.plan.deadlines.healthy;
        if self.lasts(self.facts.kept_busy_since, limit) {
            self.turn
                .stuck(why, "take the group out of that rule, then `cutover rollback` goes on");
        } else {
            self.turn.wait(why, Some(limit));
        }
    }

    fn to(&self) -> Colour {
        self.from.other()
    }

    fn side(&self, colour: Colour) -> &Side {
        &self.pair.sides[colour]
    }

    /// The group of a colour, seen. `run` has made sure that it exists.
    fn seen(&self, colour: Colour) -> Option<&'a super::GroupSeen> {
        self.turn.seen.groups.get(&self.pair.sides[colour].group)
    }

    /// The versions whose instances may receive a side's traffic. On the old side also what ran there when the rollout
    /// began: that it was live is all that a rollback asks of it.
    fn versions(&self, colour: Colour) -> Vec<u64> {
        let before = self.facts.sides[colour].running.iter().filter(|_| colour == self.from);
        before.copied().chain([self.version(colour)]).collect()
    }

    /// The version that a side is brought to.
    fn version(&self, colour: Colour) -> u64 {
        if colour == self.from {
            self.facts.sides[colour].version
        } else {
            self.turn.record.version.unwrap_or(self.facts.sides[colour].version)
        }
    }

    /// How a side stands against a share of `percent` on the way forward.
    fn standing(&self, colour: Colour, percent: u8) -> gate::Standing {
        let desired = gate::largest_desired(self.pair, self.turn.seen);
        self.standing_of(colour, percent, desired)
    }

    /// How the old side stands against bearing all traffic again, while the new one has `share`.
    fn standing_back(&self, share: u8) -> gate::Standing {
        let desired = gate::desired_back(self.pair, self.turn.seen, self.from, share);
        self.standing_of(self.from, 100, desired)
    }

    fn standing_of(&self, colour: Colour, percent: u8, desired: u32) -> gate::Standing {
        let (plan, seen, versions) = (self.turn.plan, self.turn.seen, self.versions(colour));
        gate::standing(plan, self.pair, seen, colour, &versions, (percent, desired))
    }

    fn tell_health(&mut self, colour: Colour, standing: gate::Standing) {
        self.turn.tell(Event::Health {
            group: self.side(colour).group.clone(),
            healthy: standing.ready,
            needed: standing.needed,
            instances: standing.instances,
        });
    }

    /// Writes a group's MinSize and remembers what was written, for the restore to compare with.
    fn pin(&mut self, colour: Colour, min: u32, why: &str) {
        self.learn_minimum(colour);
        if !self.wrote(colour, min) {
            self.facts.sides[colour].pinned.push(min);
        }
        let group = self.side(colour).group.clone();
        self.turn.tell(Event::Minimum { group: group.clone(), min, message: why.to_owned() });
        self.turn.send(super::Action::minimum(group, min));
    }

    /// A group's own minimum is the one that ours takes the place of. What was read before the claim may
    /// be older: its retirement may have come between two reads, or a person changed it since. What
    /// was inherited stays: the group may have another part by now than the one it reads as.
    fn learn_minimum(&mut self, colour: Colour) {
        let inherited = self.turn.record.continues.is_some();
        if inherited || !self.facts.sides[colour].pinned.is_empty() {
            return;
        }
        let Some(seen) = self.seen(colour) else { return };
        let (capacity, side) = (seen.group.capacity, &mut self.facts.sides[colour]);
        (side.min, side.empty) = (capacity.min, capacity.desired == 0);
    }

    /// Whether a group's MinSize of `min` is our doing.
    fn wrote(&self, colour: Colour, min: u32) -> bool {
        self.facts.sides[colour].pinned.contains(&min)
    }

    /// The weights of a share of `percent` for the new side.
    fn weights(&self, percent: u8) -> PerColour<u8> {
        let to = self.to();
        PerColour::from_fn(|c| if c == to { percent } else { 100 - percent })
    }

    /// The forward with those weights. With group stickiness on, weight 0 does not move clients
    /// that hold a cookie: then the end of either way is a forward to one group alone.
    fn forward(&self, rule: &Rule, percent: u8) -> Forward {
        let sticky = self.sticky(rule);
        if sticky.is_some() && self.moves_everybody(percent) {
            let winner = if percent == 0 { self.from } else { self.to() };
            // Stickiness stays on for the next rollout; with one group there is nothing to stick to.
            return Forward {
                stickiness: sticky,
                ..Forward::only(&self.side(winner).target_group)
            };
        }
        let weights = self.weights(percent);
        let mut pairs: Vec<(String, u16)> = Colour::BOTH
            .iter()
            .map(|c| (self.side(*c).target_group.clone(), u16::from(weights[*c])))
            .collect();
        pairs.sort();
        Forward { weights: pairs, stickiness: sticky }
    }

    /// Whether a share of `percent` ends a way on which clients may hold cookies of the other side.
    /// Going forward only where the test rule keeps the other side checked.
    fn moves_everybody(&self, percent: u8) -> bool {
        match percent {
            0 => self.facts.weighted,
            100 => self.pair.test_rule.is_some(),
            _ => false,
        }
    }

    /// The rule's group stickiness, as it was before.
    fn sticky(&self, rule: &Rule) -> Option<Stickiness> {
        let facts = self.facts.rules.iter().find(|facts| facts.id == rule.id);
        let seconds = facts.and_then(|facts| facts.sticky)?;
        Some(Stickiness { seconds })
    }

    /// Starts taking back, in this very turn.
    fn take_back(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        self.turn.tell(Event::TakingBack { reason: reason.clone() });
        self.turn.record.set_reason(&reason);
        self.turn.actions.clear();
        self.turn.record.phase = Phase::TakeBack;
        self.turn.record.since = self.turn.seen.now;
        self.give_back();
    }
}
