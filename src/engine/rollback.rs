//! `rollback`: an unfinished rollout taken back, or a rollout of the version before.

use std::time::Duration;

use super::claim::unfinished_rollback;
use super::run::run;
use super::session::{CHECKS, overtaken};
use super::{Made, Session, Wanted, interrupted};
use crate::model::{Ending, Goal, Outcome, Record, Stamped, Strategy};
use crate::rollout::{Shape, Step};

/// The way to versions that the ledger does not lead to.
const EARLIER: &str = "`cutover deploy --image repository@sha256:…` ships an earlier image";

impl Session<'_> {
    /// Takes traffic back to the previous version: an unfinished rollout is undone, a finished one
    /// is followed by one to the version before it. Findings are told and refuse nothing: the way
    /// back has gates of its own.
    pub async fn rollback(&self, tell: &mut dyn FnMut(Stamped)) -> Outcome {
        self.rollback_of(None, tell).await
    }

    /// The same, but of one rollout alone: where the unfinished rollout is another by then, or none is
    /// unfinished, nothing is changed.
    pub async fn rollback_of(&self, number: Option<u64>, tell: &mut dyn FnMut(Stamped)) -> Outcome {
        for _ in 0..CHECKS {
            if let Some(outcome) = self.rollback_once(number, tell).await {
                return outcome;
            }
        }
        overtaken()
    }

    /// One try; `None` where another run ended or began between the check and the claim.
    async fn rollback_once(
        &self,
        only: Option<u64>,
        tell: &mut dyn FnMut(Stamped),
    ) -> Option<Outcome> {
        // Until the claim there is nothing that could be left behind.
        let checked = Box::pin(self.checked(None, false, tell));
        let (checked, mut target) = match self.stop.unless_asked(checked).await {
            Some(Ok(checked)) => checked,
            Some(Err(outcome)) => return Some(*outcome),
            None => return Some(interrupted::before_the_claim()),
        };
        if let Some(number) = only
            && checked.unfinished().map(|record| record.number) != Some(number)
        {
            let message = format!(
                "rollout {number} has ended, or another run has taken it over: nothing is rolled back"
            );
            return Some(Outcome::new(Ending::Superseded, message));
        }
        let resumed = unfinished_rollback(&checked.records);
        if checked.unfinished().is_some() && resumed.is_none() {
            let wanted = Wanted::Back { of: only };
            let wish = self.wish(wanted, Goal::Undo, self.config.strategy, "back".to_owned());
            return run(self.job(&target, wish, Made::Elsewhere), tell).await;
        }
        let promoted = checked.records.iter().rev().find(|r| r.ending == Some(Ending::Succeeded));
        let (version, number) = match (resumed, promoted) {
            (Some(record), _) => (record.version.unwrap_or(record.previous), record.number),
            (None, Some(record)) => (record.previous, record.number),
            (None, None) => {
                let nothing = "the ledger has no rollout to go back from";
                return Some(Outcome::new(Ending::Refused, nothing).hint(EARLIER));
            }
        };
        if resumed.is_none() && target.origin.previous == version {
            let message = format!(
                "version {version}, which was live before the last rollout, is live already"
            );
            return Some(Outcome::new(Ending::Refused, message).hint(EARLIER));
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
        // Going back is not a question of evidence.
        target.plan.judge = Default::default();
        let named = |r: &&Record| r.version == Some(version) && r.image.is_some();
        let image = checked.records.iter().rev().find(named).and_then(|r| r.image.clone());
        let strategy = match self.config.strategy {
            Strategy::Rolling => Strategy::Rolling,
            Strategy::BlueGreen | Strategy::Canary | Strategy::Linear => Strategy::BlueGreen,
        };
        let intent = resumed.map_or_else(|| format!("rollback:{number}"), |r| r.intent.clone());
        let wish = self.wish(Wanted::Version { version, image }, Goal::Rollback, strategy, intent);
        run(self.job(&target, wish, Made::Elsewhere), tell).await
    }
}
