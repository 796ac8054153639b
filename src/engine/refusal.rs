//! What speaks against shipping an image, asked before anything is changed.

use super::check::Checked;
use super::push::is_missing;
use super::{Session, Target, claim, tags, target};
use crate::cloud::CloudError;
use crate::model::{Digest, Ending, ImageReference, Outcome, Record, Repository};

fn refused(message: impl Into<String>, hint: &str) -> Outcome {
    Outcome::new(Ending::Refused, message).hint(hint)
}

impl Session<'_> {
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
        match self.overtaken_or_unfit(checked, target, image).await {
            None if made => None,
            None => self.absent(image).await,
            refusal => refusal,
        }
    }

    /// What speaks against shipping any image of `image.push`, while none is made yet. What is
    /// unfinished is finished whatever else is found. Fills in the tags of `target`.
    pub async fn obstacle(&self, checked: &Checked, target: &mut Target) -> Option<Outcome> {
        if checked.unfinished().is_some() {
            return self.newer_run(checked, target);
        }
        if let Some(refusal) = checked.refusal() {
            return Some(refusal);
        }
        let repository = self.config.image.push.first()?;
        self.overtaken_or_unfit(checked, target, &any(repository)).await
    }

    async fn overtaken_or_unfit(
        &self,
        checked: &Checked,
        target: &mut Target,
        image: &ImageReference,
    ) -> Option<Outcome> {
        match tags::expand(&self.config.image.tags, &self.caller) {
            Ok(tags) => target.tags = tags,
            Err(message) => return Some(Outcome::new(Ending::Refused, message)),
        }
        match self.newer_run(checked, target) {
            Some(refusal) => Some(refusal),
            None => self.unfit(target, image).await,
        }
    }

    /// A run of the same workflow with a higher number that is live or unfinished: an older commit must
    /// not replace a newer one by being re-run, or by having waited for an approval.
    fn newer_run(&self, checked: &Checked, target: &Target) -> Option<Outcome> {
        let own = self.caller.workflow.as_ref().filter(|_| !self.caller.force)?;
        let is_newer = |record: &&Record| {
            record.workflow.as_ref() == Some(&own.workflow)
                && record.run_number.is_some_and(|number| number > own.number)
        };
        let (newer, state) = match checked.unfinished().filter(is_newer) {
            Some(record) => (record, "unfinished"),
            None => (checked.proven(target.origin.previous).filter(is_newer)?, "live"),
        };
        let number = newer.run_number?;
        let message =
            format!("workflow run {} is older than run {number}, which is {state}", own.number);
        Some(refused(
            message,
            "to deploy it anyway, use `--force` (the action's input `force: true`)",
        ))
    }

    /// Why the live version's user data can't be made to launch an image of this repository, or would
    /// launch it before its time.
    pub(super) async fn unfit(&self, target: &Target, image: &ImageReference) -> Option<Outcome> {
        let unchanged = |error: String| Some(refused(error, "nothing was changed"));
        let unread = |error: &CloudError| {
            Some(refused(error.to_string(), &format!("nothing was changed; {}", error.hint())))
        };
        let live = match self.cloud.version(&target.plan.template, target.origin.previous).await {
            Ok(live) => live,
            Err(error) => return unread(&error),
        };
        if let Err(error) = target::pin(&target.user_data, live.as_ref(), image) {
            return unchanged(error.to_string());
        }
        let launched = live.as_ref().and_then(|live| live.user_data.bytes()).unwrap_or_default();
        let tag = tags::live(&target.tags, &image.repository, launched)?;
        let message = format!("the live template launches the tag `{tag}`, which this would move");
        Some(refused(message, "use another tag: instances must launch by digest"))
    }

    /// Why an image that others have pushed can't be launched.
    async fn absent(&self, image: &ImageReference) -> Option<Outcome> {
        let is_absent = match self.cloud.owns(&image.repository) {
            true => match self.cloud.image_exists(image.repository.path(), &image.digest).await {
                Ok(exists) => !exists,
                Err(error) => {
                    let hint = format!("nothing was changed; {}", error.hint());
                    return Some(refused(error.to_string(), &hint));
                }
            },
            false => is_missing((self.net, self.cloud), image, &self.caller.logins).await,
        };
        is_absent.then(|| {
            let message = format!("{image} is not in the registry");
            refused(message, "push it first, or check the digest")
        })
    }
}

/// Stands for whatever image the repository gets: every digest is as long as any other.
pub(super) fn any(repository: &Repository) -> ImageReference {
    ImageReference { repository: repository.clone(), digest: Digest::of(b"") }
}
