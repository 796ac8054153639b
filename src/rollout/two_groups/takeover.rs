//! Taking over from a run that did not finish. Its last request may still be on its way, and no
//! AWS write takes a condition: so for T this run only reads, and then goes by what it sees.

use super::Machine;
use crate::model::{Colour, PerColour, Phase, SideFacts};
use crate::rollout::mutant::{self, Mutant};
use crate::rollout::{T, gate};

impl Machine<'_, '_, '_> {
    pub(super) fn take_over(&mut self) {
        if !self.turn.overdue(T) && !mutant::on(Mutant::NoWaitAfterTakeover) {
            self.turn.wait(
                "the previous run did not finish: waiting until nothing that it sent can still arrive",
                Some(T),
            );
            return;
        }
        if let Some(phase) = self.turn.record.resume.take() {
            self.turn.go(phase, format!("going on from `{}`", phase.name()));
            return;
        }
        let to = self.to();
        let (least, most) = (
            gate::smallest_share(self.pair, self.turn.seen, self.side(to)),
            gate::largest_share(self.pair, self.turn.seen, self.side(to)),
        );
        if most == 0 {
            self.begin_anew("traffic is all on the previous version: starting anew");
        } else if least == 100 && self.standing(to, 100).passes() {
            self.promote_predecessor(to);
        } else if least == 100 && !self.standing_back(100).passes() {
            self.wait_for_the_only_side(to);
        } else {
            self.take_back("an earlier rollout of something else was left with traffic split");
        }
    }

    /// All traffic is on a side that is not as it should be, and the other one is no better: there
    /// is nothing to go back to.
    fn wait_for_the_only_side(&mut self, side: Colour) {
        let limit = T + self.turn.plan.deadlines.healthy;
        let group = self.side(side).group.clone();
        if self.turn.overdue(limit) {
            self.turn.stuck(
                format!("{group} has all of the traffic, but not enough healthy targets"),
                "see to the health of that group, then deploy again",
            );
        } else {
            self.turn.wait(
                format!("{group} has all of the traffic: it must be healthy first"),
                Some(limit),
            );
        }
    }

    /// On to Prepare, as a rollout that has changed nothing yet. What must be undone stays known,
    /// and so does a refresh that may still be active.
    pub(super) fn begin_anew(&mut self, message: impl Into<String>) {
        self.facts.step = 0;
        self.facts.floor = 0;
        self.facts.shifted = None;
        self.facts.weighted = false;
        self.facts.relapses = 0;
        self.turn.record.restart = false;
        self.turn.record.reason = None;
        self.turn.go(Phase::Prepare, message);
    }

    /// The predecessor had brought all traffic over: its new side is the live one now, and nothing
    /// of that is ours to undo. The facts change sides: each group's minimum is what its new part
    /// had.
    fn promote_predecessor(&mut self, live: Colour) {
        let (old, new) = (&self.facts.sides[live.other()], &self.facts.sides[live]);
        let now_live = SideFacts {
            version: self.version(live),
            running: Vec::new(),
            min: old.min,
            empty: false,
            pinned: new.pinned.clone(),
            retirement: None,
        };
        let now_idle = SideFacts {
            version: old.version,
            running: old.running.clone(),
            min: new.retirement.map_or(new.min, |retirement| retirement.size),
            empty: new.empty,
            pinned: old.pinned.clone(),
            retirement: None,
        };
        self.facts.sides =
            PerColour::from_fn(
                |colour| {
                    if colour == live { now_live.clone() } else { now_idle.clone() }
                },
            );
        for rule in &mut self.facts.rules {
            rule.weights = PerColour::from_fn(|c| Some(if c == live { 100 } else { 0 }));
        }
        self.facts.test = None;
        self.facts.refresh = None;
        self.facts.idle_since = None;
        self.facts.from = live;
        self.from = live;
        self.turn.record.previous = self.facts.sides[live].version;
        self.begin_anew(format!("the previous run had brought all traffic to {live}"));
    }
}
