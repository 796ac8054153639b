//! `deploy`: publishes an image and rolls it out, unless something blocks that or the image is already live.

use super::session::{CHECK_ATTEMPTS, ledger_keeps_changing};
use super::{Planner, interrupted, tags};
use crate::publish::{ImageSource, Publication, Publisher, PushOptions};
use crate::runner::{Desired, RolloutSpec, run};
use cutover_rollout::model::{Event, Failure, Goal, ImageReference, Outcome, Status, TimedEvent};

/// What `deploy` does if nothing blocks it.
enum Ready {
    /// It starts a rollout.
    Begin(Box<RolloutSpec>),
    /// Nothing, because the image is already live.
    Live(Box<Outcome>),
}

impl Planner<'_> {
    /// Publishes the image that `make` builds or assembles, and rolls it out.
    ///
    /// Everything that is addressed by its digest is pushed and attached before the claim, where it harms nobody; the
    /// tags are set after the scan and the claim. Nothing is made if the rollout of any image is blocked.
    pub async fn deploy(
        &self,
        options: &PushOptions,
        make: impl AsyncFnOnce(&mut dyn FnMut(Event)) -> Result<ImageSource, Failure>,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Outcome {
        let published = Box::pin(self.publish(self.publisher(options), make, emit));
        match self.stop.unless_stopped(published).await {
            Some(Ok(publication)) => {
                self.roll_out(publication.reference(), Some(&publication), emit).await
            }
            Some(Err(failure)) => failure.into(),
            None => interrupted::while_publishing(),
        }
    }

    /// Rolls out an image that is in its registry already.
    pub async fn deploy_existing(
        &self,
        image: &ImageReference,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Outcome {
        self.roll_out(image, None, emit).await
    }

    async fn publish<'p>(
        &self,
        publisher: Publisher<'p>,
        make: impl AsyncFnOnce(&mut dyn FnMut(Event)) -> Result<ImageSource, Failure>,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Result<Publication<'p>, Failure> {
        self.check_before_build(emit).await?;
        let tags = tags::expand(&self.config.image.tags, &self.caller).map_err(Failure::refused)?;
        let mut emit = |event: Event| emit(TimedEvent { time: self.cloud.now(), event });
        let connected = publisher.connect(tags).await?;
        let source = make(&mut emit).await?;
        connected.publish(&source, &mut emit).await
    }

    async fn roll_out(
        &self,
        image: &ImageReference,
        publication: Option<&Publication<'_>>,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Outcome {
        for _ in 0..CHECK_ATTEMPTS {
            if let Some(outcome) = self.roll_out_once(image, publication, emit).await {
                return outcome;
            }
        }
        ledger_keeps_changing()
    }

    /// Tries once; `None` if another run started or ended between the check and the claim.
    async fn roll_out_once(
        &self,
        image: &ImageReference,
        publication: Option<&Publication<'_>>,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Option<Outcome> {
        let ours = publication.is_some();
        let about = |mut outcome: Outcome| {
            outcome.image = Some(image.clone());
            outcome.strategy = Some(self.config.strategy);
            if outcome.outcome == Status::Succeeded {
                outcome = self.located(outcome, &[], ours);
            }
            outcome
        };
        // Before the claim, nothing can be left behind.
        let ready = Box::pin(self.ready(image, ours, emit));
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
        let outcome = run(self.job(&target, wish, publication), emit).await?;
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
            None => {
                format!("manual:{:.16}:{}", cutover_config::hash(self.config), image.digest.short())
            }
        }
    }
}
