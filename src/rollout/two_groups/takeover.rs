//! Taking over from a run that did not finish. Its last request may still be on its way, and no
//! AWS write takes a condition: so for T this run only reads, and then goes by what it sees.

use super::Machine;
use crate::model::{Colour, PerColour, Phase, SideFacts};
use crate::rollout::{T, gate};

impl Machine<'_, '_, '_> {
    pub(super) fn take_over(&mut self) {
        if !self.turn.overdue(T) {
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
        if gate::largest_share(self.pair, self.turn.seen, self.side(to)) == 0 {
            self.turn.record.restart = false;
            self.turn.go(Phase::Prepare, "traffic is all on the previous version: starting anew");
        } else if gate::smallest_share(self.pair, self.turn.seen, self.side(to)) == 100
            && self.standing(to, 100).passes()
        {
            self.promote_predecessor(to);
        } else {
            self.take_back("an earlier rollout of something else was left with traffic split");
        }
    }

    /// The predecessor had brought all traffic over: its new side is the live one now. The undo
    /// facts change sides with it: each group's minimum is what its new part had.
    fn promote_predecessor(&mut self, live: Colour) {
        let sides = self.facts.sides.clone();
        let facts = |colour: Colour| SideFacts {
            version: self.version(colour),
            min: sides[colour.other()].min,
            empty: sides[colour.other()].empty,
            ..sides[colour].clone()
        };
        self.facts.sides = PerColour::from_fn(facts);
        self.turn.record.previous = self.version(live);
        self.facts.from = live;
        self.facts.step = 0;
        self.facts.idle_since = None;
        self.facts.shifted = None;
        self.facts.weighted = false;
        self.turn.record.restart = false;
        self.turn.go(Phase::Prepare, format!("the previous run had brought all traffic to {live}"));
    }
}
