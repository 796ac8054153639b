//! The idle group enters every rule at weight 0, because a target group in no rule is never
//! health-checked (`Target.NotInUse`); then its targets become healthy and answer the smoke requests.

use std::time::Duration;

use super::Machine;
use crate::model::{Event, Forward, Phase, Rule};
use crate::rollout::Action;
use crate::rollout::refresh::but_suspended;

/// How long the smoke requests are tried again.
const SMOKE_LIMIT: Duration = Duration::from_secs(60);

impl Machine<'_, '_, '_> {
    pub(super) fn join(&mut self, rules: &[&Rule]) {
        if self.refuse_weight() {
            return;
        }
        let to = self.side(self.to()).target_group.clone();
        for rule in rules {
            if !rule.forward.as_ref().is_some_and(|forward| forward.names(&to)) {
                let forward = self.forward(rule, 0);
                self.turn.send(Action::SetForward { rule: rule.id.clone(), forward });
            }
        }
        if let Some(rule) = self.test_rule()
            && rule.forward.as_ref().is_none_or(|f| f.share(&to) != 100)
        {
            let forward = Forward::only(&to);
            self.turn.send(Action::SetForward { rule: rule.id.clone(), forward });
        }
        if self.turn.actions.is_empty() {
            self.turn.go(Phase::Healthy, "waiting for the new targets to be healthy");
        } else if self.turn.overdue(self.turn.plan.deadlines.healthy) {
            self.take_back("the rules did not take the new target group");
        }
    }

    pub(super) fn healthy(&mut self) {
        if self.refuse_weight() {
            return;
        }
        let standing = self.standing(self.to(), 100);
        self.tell_health(self.to(), standing);
        if standing.passes() {
            let next = if self.pair.smoke.is_empty() { Phase::Shift } else { Phase::Smoke };
            self.turn.go(
                next,
                match next {
                    Phase::Smoke => "asking over the test rule",
                    _ => "the new side is ready for its first traffic",
                },
            );
            return;
        }
        let but = self.seen(self.to()).map(but_suspended).unwrap_or_default();
        if self.turn.overdue(self.turn.plan.deadlines.healthy) {
            self.take_back(format!(
                "only {} of {} targets of the new version became healthy in time{but}",
                standing.ready, standing.needed
            ));
        } else {
            let limit = self.turn.plan.deadlines.healthy;
            self.turn.wait(format!("targets become healthy{but}"), Some(limit));
        }
    }

    pub(super) fn smoke(&mut self) {
        if self.refuse_weight() {
            return;
        }
        let Some(results) = &self.turn.seen.smoke else {
            if self.turn.overdue(self.turn.plan.deadlines.healthy) {
                self.take_back("the new version could not be asked in time");
            } else {
                self.turn.send(Action::Smoke);
            }
            return;
        };
        for result in results {
            self.turn.tell(Event::Smoke {
                path: result.path.clone(),
                status: result.status,
                passed: result.passed,
            });
        }
        if results.iter().all(|result| result.passed) {
            self.turn.go(Phase::Shift, "the new side answers: ready for its first traffic");
        } else if self.turn.overdue(SMOKE_LIMIT) {
            self.take_back("the new version does not answer as `smoke` expects");
        } else {
            self.turn.send(Action::Smoke);
        }
    }
}
