//! `rollback`: undoes an unfinished rollout, or rolls out the version before the last one.

use std::time::Duration;

use super::session::{CHECK_ATTEMPTS, ledger_keeps_changing};
use super::{Planner, interrupted};
use crate::runner::{Desired, run, unfinished_rollback};
use cutover_rollout::model::{Goal, Outcome, Record, Status, Strategy, TimedEvent};
use cutover_rollout::{Shape, Step};

/// The hint for versions that the ledger does not have.
const EARLIER: &str = "run `cutover deploy --image repository@sha256:…` to deploy an earlier image";

impl Planner<'_> {
    /// Rolls back to the previous version: undoes an unfinished rollout; after a finished one, rolls out the version
    /// before it. Findings are reported, but block nothing: a rollback has gates of its own.
    pub async fn rollback(&self, emit: &mut dyn FnMut(TimedEvent)) -> Outcome {
        self.rollback_of(None, emit).await
    }

    /// Does the same, but only for the rollout with this number: changes nothing if another rollout is unfinished by
    /// then, or none.
    pub async fn rollback_of(
        &self,
        number: Option<u64>,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Outcome {
        for _ in 0..CHECK_ATTEMPTS {
            if let Some(outcome) = self.rollback_once(number, emit).await {
                return outcome;
            }
        }
        ledger_keeps_changing()
    }

    /// Tries once; `None` if another run started or ended between the check and the claim.
    async fn rollback_once(
        &self,
        only: Option<u64>,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Option<Outcome> {
        // Before the claim, nothing can be left behind.
        let checked = Box::pin(self.check_and_plan(None, false, emit));
        let (checked, mut target) = match self.stop.unless_stopped(checked).await {
            Some(Ok(checked)) => checked,
            Some(Err(failure)) => return Some(failure.into()),
            None => return Some(interrupted::before_the_claim()),
        };
        if let Some(number) = only
            && checked.unfinished().map(|record| record.number) != Some(number)
        {
            let message = format!(
                "rollout {number} has ended, or another run has taken it over: nothing was rolled back"
            );
            return Some(Outcome::new(Status::Superseded, message));
        }
        let resumed = unfinished_rollback(&checked.records);
        if checked.unfinished().is_some() && resumed.is_none() {
            let wanted = Desired::Back { of: only };
            let wish = self.wish(wanted, Goal::Undo, self.config.strategy, "back".to_owned());
            return run(self.job(&target, wish, None), emit).await;
        }
        let promoted = checked.records.iter().rev().find(|r| r.status == Some(Status::Succeeded));
        let (version, number) = match (resumed, promoted) {
            (Some(record), _) => (record.version.unwrap_or(record.previous), record.number),
            (None, Some(record)) => (record.previous, record.number),
            (None, None) => {
                let nothing = "the ledger has no rollout that could be rolled back";
                return Some(Outcome::new(Status::Refused, nothing).hint(EARLIER));
            }
        };
        if resumed.is_none() && target.origin.previous == version {
            let message = format!(
                "version {version}, which was live before the last rollout, is already live"
            );
            return Some(Outcome::new(Status::Refused, message).hint(EARLIER));
        }
        match &mut target.plan.shape {
            Shape::TwoGroups(pair) => {
                pair.steps = vec![Step { percent: 100, bake: Duration::ZERO }];
            }
            Shape::OneGroup(group) => {
                group.preferences.checkpoints.clear();
                group.preferences.checkpoint_delay = Duration::ZERO;
                group.preferences.bake = Duration::ZERO;
            }
        }
        // A rollback does not depend on evidence.
        target.plan.judge = Default::default();
        let named = |r: &&Record| r.version == Some(version) && r.image.is_some();
        let image = checked.records.iter().rev().find(named).and_then(|r| r.image.clone());
        let strategy = match self.config.strategy {
            Strategy::Rolling => Strategy::Rolling,
            Strategy::BlueGreen | Strategy::Canary | Strategy::Linear => Strategy::BlueGreen,
        };
        let intent = resumed.map_or_else(|| format!("rollback:{number}"), |r| r.intent.clone());
        let wish = self.wish(Desired::Version { version, image }, Goal::Rollback, strategy, intent);
        run(self.job(&target, wish, None), emit).await
    }
}
