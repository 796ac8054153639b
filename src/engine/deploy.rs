//! `deploy`: an image brought to all traffic, unless something speaks against it or it is there.

use super::check::Checked;
use super::push::is_missing;
use super::run::run;
use super::session::{CHECKS, overtaken};
use super::{Made, Session, Target, Wanted, claim, interrupted, tags, target};
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
        let about = |mut outcome: Outcome| {
            outcome.image = Some(image.clone());
            outcome.strategy = Some(self.config.strategy);
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
        let wish =
            self.wish(Wanted::Image(image.clone()), Goal::Deploy, self.config.strategy, intent);
        let outcome = run(self.job(&target, wish, made), tell).await?;
        Some(if outcome.image.is_some() { outcome } else { about(outcome) })
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
    fn intent(&self, image: &ImageReference) -> String {
        match &self.caller.workflow {
            Some((id, _)) => format!("run:{id}:{}", image.digest.short()),
            None => format!("hand:{:.16}:{}", config::hash(self.config), image.digest.short()),
        }
    }

    /// Why this image must not be shipped, if it must not; asking changes nothing. `made` says that
    /// it is to be pushed first. Fills in the tags of `target`.
    pub async fn refusal(
        &self,
        checked: &Checked,
        target: &mut Target,
        image: &ImageReference,
        made: bool,
    ) -> Option<Outcome> {
        let intent = self.intent(image);
        // What this very rollout left unfinished is finished whatever else is found by now.
        let resumes = claim::behind(&checked.records)
            .is_some_and(|r| r.intent == intent && r.version.is_some());
        if !resumes && let Some(refusal) = checked.refusal() {
            return Some(refusal);
        }
        match tags::expand(&self.config.image.tags, &self.caller) {
            Ok(tags) => target.tags = tags,
            Err(message) => return Some(Outcome::new(Ending::Refused, message)),
        }
        let refused =
            |message: String, hint: &str| Some(Outcome::new(Ending::Refused, message).hint(hint));
        let newer = checked.records.iter().rev().find(|r| r.ending == Some(Ending::Succeeded));
        if let (Some((_, own)), Some(newest)) =
            (&self.caller.workflow, newer.and_then(|r| r.run_number))
            && *own < newest
            && !self.caller.force
        {
            let message = format!("workflow run {own} is older than run {newest}, which is live");
            return refused(message, "`--force` ships it all the same");
        }
        let absent = || {
            refused(format!("{image} is not in the registry"), "push it first, or check the digest")
        };
        if !made && self.cloud.owns(&image.repository) {
            match self.cloud.image_exists(image.repository.path(), &image.digest).await {
                Ok(true) => {}
                Ok(false) => return absent(),
                Err(error) => return refused(error.to_string(), "nothing was changed"),
            }
        } else if !made && is_missing((self.net, self.cloud), image, &self.caller.logins).await {
            return absent();
        }
        let live = self.cloud.version(&target.plan.template, target.origin.previous).await;
        let live = match live {
            Ok(live) => live,
            Err(error) => return refused(error.to_string(), "nothing was changed"),
        };
        if let Err(error) = target::pin(&target.user_data, live.as_ref(), image) {
            return refused(error.to_string(), "nothing was changed");
        }
        let launched = live.as_ref().and_then(|live| live.user_data.bytes()).unwrap_or_default();
        let tag = tags::live(&target.tags, &image.repository, launched)?;
        let message = format!("the live template launches the tag `{tag}`, which this would move");
        refused(message, "use another tag: instances must launch by digest")
    }
}
