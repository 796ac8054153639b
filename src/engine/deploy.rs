//! `deploy`: an image brought to all traffic, unless something speaks against it or it is there.

use super::run::run;
use super::session::{CHECKS, overtaken};
use super::{Made, Session, Target, Wanted, interrupted};
use crate::config;
use crate::model::{Ending, Goal, ImageReference, Outcome, Stamped};

impl Session<'_> {
    /// Ships an image, once it is in the registry.
    pub async fn deploy(
        &self,
        image: ImageReference,
        made: Made,
        tell: &mut dyn FnMut(Stamped),
    ) -> Outcome {
        for _ in 0..CHECKS {
            if let Some(outcome) = self.deploy_once(&image, made.clone(), tell).await {
                return outcome;
            }
        }
        overtaken()
    }

    /// One try; `None` where another run ended or began between the check and the claim.
    async fn deploy_once(
        &self,
        image: &ImageReference,
        made: Made,
        tell: &mut dyn FnMut(Stamped),
    ) -> Option<Outcome> {
        let ours = made.is_ours();
        let about = |mut outcome: Outcome| {
            outcome.image = Some(image.clone());
            outcome.strategy = Some(self.config.strategy);
            if outcome.outcome == Ending::Succeeded {
                outcome = self.located(outcome, &[], ours);
            }
            outcome
        };
        // Until the claim there is nothing that could be left behind.
        let ready = Box::pin(self.ready(image, made.is_ours(), tell));
        let target = match self.stop.unless_asked(ready).await {
            Some(Ok(target)) => target,
            Some(Err(outcome)) => return Some(about(*outcome)),
            None => return Some(about(interrupted::before_the_claim())),
        };
        let intent = self.intent(image);
        let mut wish =
            self.wish(Wanted::Image(image.clone()), Goal::Deploy, self.config.strategy, intent);
        wish.made_here = ours;
        let outcome = run(self.job(&target, wish, made), tell).await?;
        Some(match outcome.image {
            Some(_) => self.located(outcome, &target.tags, ours),
            None => about(outcome),
        })
    }

    /// The outcome of an image that is in the registries, with where it is and what names it there.
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

    /// Checks everything and changes nothing: what a run would do, or why there is none.
    async fn ready(
        &self,
        image: &ImageReference,
        made: bool,
        tell: &mut dyn FnMut(Stamped),
    ) -> Result<Target, Box<Outcome>> {
        let (checked, mut target) = self.checked(Some(image), made, tell).await?;
        if let Some(refusal) = self.refusal(&checked, &mut target, image, made).await {
            return Err(Box::new(refusal));
        }
        if checked.unfinished().is_none()
            && let Some(outcome) = self.already_live(&checked, &target, image, tell).await
        {
            return Err(Box::new(outcome));
        }
        Ok(target)
    }

    /// What two runs that want the same have in common: the Actions run, or by hand the
    /// configuration; and the image.
    pub(super) fn intent(&self, image: &ImageReference) -> String {
        match &self.caller.workflow {
            Some(run) => format!("run:{}:{}", run.id, image.digest.short()),
            None => format!("hand:{:.16}:{}", config::hash(self.config), image.digest.short()),
        }
    }
}
