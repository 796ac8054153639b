//! `deploy`: rolls out an image, unless something blocks that or the image is already live.

use super::run::run;
use super::session::{CHECK_ATTEMPTS, ledger_keeps_changing};
use super::{Desired, ImageSource, RolloutSpec, Session, interrupted};
use crate::config;
use cutover_rollout::model::{Failure, Goal, ImageReference, Outcome, Status, TimedEvent};

/// What `deploy` does if nothing blocks it.
enum Ready {
    /// It starts a rollout.
    Begin(Box<RolloutSpec>),
    /// Nothing, because the image is already live.
    Live(Box<Outcome>),
}

impl Session<'_> {
    /// Deploys an image. `made` says how it gets into the registries.
    pub async fn deploy(
        &self,
        image: ImageReference,
        made: ImageSource,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Outcome {
        for _ in 0..CHECK_ATTEMPTS {
            if let Some(outcome) = self.deploy_once(&image, made.clone(), emit).await {
                return outcome;
            }
        }
        ledger_keeps_changing()
    }

    /// Tries once; `None` if another run started or ended between the check and the claim.
    async fn deploy_once(
        &self,
        image: &ImageReference,
        made: ImageSource,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Option<Outcome> {
        let ours = made.is_made_by_cutover();
        let about = |mut outcome: Outcome| {
            outcome.image = Some(image.clone());
            outcome.strategy = Some(self.config.strategy);
            if outcome.outcome == Status::Succeeded {
                outcome = self.located(outcome, &[], ours);
            }
            outcome
        };
        // Before the claim, nothing can be left behind.
        let ready = Box::pin(self.ready(image, made.is_made_by_cutover(), emit));
        let target = match self.stop.unless_stopped(ready).await {
            Some(Ok(Ready::Begin(target))) => *target,
            Some(Ok(Ready::Live(outcome))) => return Some(about(*outcome)),
            Some(Err(failure)) => return Some(about(failure.into())),
            None => return Some(about(interrupted::before_the_claim())),
        };
        let intent = self.intent(image);
        let mut wish =
            self.wish(Desired::Image(image.clone()), Goal::Deploy, self.config.strategy, intent);
        wish.made_by_this_run = ours;
        let outcome = run(self.job(&target, wish, made), emit).await?;
        Some(match outcome.image {
            Some(_) => self.located(outcome, &target.tags, ours),
            None => about(outcome),
        })
    }

    /// Adds the image's repositories and tags to an outcome.
    fn located(&self, mut outcome: Outcome, tags: &[String], ours: bool) -> Outcome {
        let image = outcome.image.iter().map(|image| &image.repository);
        let others = self.config.image.push.iter().filter(|_| ours);
        for repository in image.chain(others) {
            if !outcome.repositories.contains(repository) {
                outcome.repositories.push(repository.clone());
            }
        }
        outcome.tags = if ours { tags.to_vec() } else { Vec::new() };
        outcome
    }

    /// Checks everything and changes nothing.
    ///
    /// # Errors
    /// If something blocks a rollout.
    async fn ready(
        &self,
        image: &ImageReference,
        made: bool,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Result<Ready, Failure> {
        let (checked, mut target) = self.check_and_plan(Some(image), made, emit).await?;
        self.may_deploy(&checked, &mut target, image, made).await?;
        if checked.unfinished().is_none()
            && let Some(outcome) = self.already_live(&checked, &target, image, emit).await?
        {
            return Ok(Ready::Live(Box::new(outcome)));
        }
        Ok(Ready::Begin(Box::new(target)))
    }

    /// Returns what runs that are to do the same have in common: the Actions run, or else the configuration; and the
    /// image.
    pub(super) fn intent(&self, image: &ImageReference) -> String {
        match &self.caller.workflow {
            Some(run) => format!("run:{}:{}", run.id, image.digest.short()),
            None => format!("manual:{:.16}:{}", config::hash(self.config), image.digest.short()),
        }
    }
}
