//! Adds the idle target group to every rule with weight 0, because a target group in no rule gets no health checks
//! (`Target.NotInUse`); then waits until its targets are healthy and pass the smoke tests.

use std::time::Duration;

use super::Machine;
use crate::model::{Event, Forward, Phase, Rule};
use crate::refresh::suspended_suffix;
use crate::{Action, NotReady};

/// How long failing smoke tests are repeated.
const SMOKE_LIMIT: Duration = Duration::from_secs(60);

impl Machine<'_, '_, '_> {
    pub(super) fn add_to_rules(&mut self, rules: &[&Rule]) -> Result<(), NotReady> {
        if self.rolls_back_early_traffic() {
            return Ok(());
        }
        let to = self.side(self.new_color()).target_group.clone();
        for rule in rules {
            if !rule.forward.as_ref().is_some_and(|forward| forward.names(&to)) {
                let forward = self.forward(rule, 0);
                self.tick.send(Action::SetForward { rule: rule.id.clone(), forward });
            }
        }
        if let Some(rule) = self.test_rule()
            && rule.forward.as_ref().is_none_or(|f| f.share(&to) != 100)
        {
            let forward = Forward::only(&to);
            self.tick.send(Action::SetForward { rule: rule.id.clone(), forward });
        }
        if self.tick.actions.is_empty() {
            self.tick.enter(Phase::Healthy, "waiting for the new side's targets to become healthy");
        } else if self.tick.is_overdue(self.tick.plan.deadlines.healthy) {
            self.start_rollback(
                "the new side's target group could not be added to every rule in time",
            );
        }
        Ok(())
    }

    pub(super) fn healthy(&mut self) -> Result<(), NotReady> {
        if self.rolls_back_early_traffic() {
            return Ok(());
        }
        let standing = self.readiness(self.new_color(), 100);
        self.emit_health(self.new_color(), standing);
        if standing.passes() {
            let next = if self.pair.smoke.is_empty() { Phase::Shift } else { Phase::SmokeTest };
            let message = match next {
                Phase::SmokeTest => "running smoke tests through the test rule".to_owned(),
                _ => self.shift_message(),
            };
            self.tick.enter(next, message);
            return Ok(());
        }
        let but = suspended_suffix(self.observed_group(self.new_color())?);
        if self.tick.is_overdue(self.tick.plan.deadlines.healthy) {
            self.start_rollback(format!(
                "only {} of {} targets of the new version became healthy in time{but}",
                standing.ready, standing.needed
            ));
        } else {
            let limit = self.tick.plan.deadlines.healthy;
            self.tick.report_waiting(
                format!("the new side's targets are not healthy yet{but}"),
                Some(limit),
            );
        }
        Ok(())
    }

    pub(super) fn smoke_test(&mut self) -> Result<(), NotReady> {
        if self.rolls_back_early_traffic() {
            return Ok(());
        }
        let Some(results) = &self.tick.observation.smoke else {
            if self.tick.is_overdue(self.tick.plan.deadlines.healthy) {
                self.start_rollback("the smoke tests could not be run in time");
            } else {
                self.tick.send(Action::RunSmokeTests);
            }
            return Ok(());
        };
        for result in results {
            self.tick.emit(Event::Smoke {
                path: result.path.clone(),
                status: result.status,
                passed: result.passed,
            });
        }
        if results.iter().all(|result| result.passed) {
            let message = self.shift_message();
            self.tick.enter(Phase::Shift, message);
        } else if self.tick.is_overdue(SMOKE_LIMIT) {
            self.start_rollback("the new version failed the smoke tests");
        } else {
            self.tick.send(Action::RunSmokeTests);
        }
        Ok(())
    }
}
