//! Takes over from a run that did not finish. Its last request may still be on its way, and no AWS write is
//! conditional, so this run only reads for T, and then acts on what it observes.

use super::Machine;
use crate::model::{Color, PerColor, Phase, SideFacts};
use crate::mutant::{self, Mutant};
use crate::{NotReady, T, gate};

impl Machine<'_, '_, '_> {
    pub(super) fn take_over(&mut self) -> Result<(), NotReady> {
        if !self.tick.is_overdue(T) && !mutant::on(Mutant::NoWaitAfterTakeover) {
            self.tick.report_waiting(
                "the previous run did not finish: waiting until none of its requests can still take effect",
                Some(T),
            );
            return Ok(());
        }
        if let Some(phase) = self.tick.record.resume.take() {
            self.tick.enter(phase, format!("resuming in phase `{}`", phase.name()));
            return Ok(());
        }
        let to = self.new_color();
        let (least, most) = (
            gate::smallest_share(self.pair, self.tick.observation, self.side(to)),
            gate::largest_share(self.pair, self.tick.observation, self.side(to)),
        );
        if most == 0 {
            self.start_again("all traffic is on the previous version: starting again");
        } else if least == 100 && self.readiness(to, 100).passes() {
            self.promote_predecessor(to);
        } else if least == 100 && !self.rollback_readiness(100).passes() {
            self.wait_for_only_side(to);
        } else {
            self.start_rollback("an earlier rollout of another version left the traffic split");
        }
        Ok(())
    }

    /// Waits for a side that has all traffic but is not ready, while the other side is no better: there is nothing to
    /// roll back to.
    fn wait_for_only_side(&mut self, side: Color) {
        let limit = T + self.tick.plan.deadlines.healthy;
        let group = self.side(side).group.clone();
        if self.tick.is_overdue(limit) {
            self.tick.stuck(
                format!("{group} receives all of the traffic, but has too few healthy targets"),
                "make that group healthy, then run `cutover deploy` again",
            );
        } else {
            self.tick.report_waiting(
                format!("{group} receives all of the traffic and must become healthy first"),
                Some(limit),
            );
        }
    }

    /// Returns to Prepare, like a rollout that has changed nothing yet. The record keeps what must be undone, and a
    /// refresh that may still be active.
    pub(super) fn start_again(&mut self, message: impl Into<String>) {
        self.facts.step = 0;
        self.facts.floor = 0;
        self.facts.shifted = None;
        self.facts.weighted = false;
        self.facts.relapses = 0;
        self.tick.record.restart = false;
        self.tick.record.reason = None;
        self.tick.enter(Phase::Prepare, message);
    }

    /// Makes the predecessor's new side the live one: it had already shifted all traffic, and this rollout does not
    /// undo that. The facts swap sides: each group gets the MinSize that belongs to its new role.
    fn promote_predecessor(&mut self, live: Color) {
        let (old, new) = (&self.facts.sides[live.other()], &self.facts.sides[live]);
        let now_live = SideFacts {
            version: self.expected_version(live),
            running: Vec::new(),
            min: old.min,
            empty: false,
            min_sizes_set: new.min_sizes_set.clone(),
            scale_in: None,
        };
        let now_idle = SideFacts {
            version: old.version,
            running: old.running.clone(),
            min: new.scale_in.map_or(new.min, |scale_in| scale_in.size),
            empty: new.empty,
            min_sizes_set: old.min_sizes_set.clone(),
            scale_in: None,
        };
        self.facts.sides =
            PerColor::from_fn(
                |color| {
                    if color == live { now_live.clone() } else { now_idle.clone() }
                },
            );
        for rule in &mut self.facts.rules {
            rule.weights = PerColor::from_fn(|c| Some(if c == live { 100 } else { 0 }));
        }
        self.facts.test = None;
        self.facts.refresh = None;
        self.facts.idle_since = None;
        self.facts.old = live;
        self.old_color = live;
        self.tick.record.previous = self.facts.sides[live].version;
        self.start_again(format!(
            "the previous run had already shifted all traffic to {live}: starting from there"
        ));
    }
}
