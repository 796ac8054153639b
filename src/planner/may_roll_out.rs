//! Checks whether anything blocks the rollout of an image, before anything is changed.

use super::check::CheckedAccount;
use super::registries::is_missing;
use super::{Planner, tags};
use crate::runner::{RolloutSpec, effective_unfinished};
use cutover_rollout::model::{Failure, ImageReference, Record, Repository};
use cutover_rollout::template;

impl Planner<'_> {
    /// Checks that this image may be rolled out; changes nothing. `made` says that cutover pushes it. Sets the tags of
    /// `target`.
    ///
    /// # Errors
    /// If it may not be rolled out, or that cannot be determined.
    pub async fn may_deploy(
        &self,
        checked: &CheckedAccount,
        target: &mut RolloutSpec,
        image: &ImageReference,
        made: bool,
    ) -> Result<(), Failure> {
        let intent = self.intent(image);
        // An unfinished rollout with the same intent is finished, no matter what is found by now.
        let resumes = effective_unfinished(&checked.records)
            .is_some_and(|r| r.intent == intent && r.version.is_some());
        if !resumes {
            checked.require_no_errors()?;
        }
        self.check_run_and_user_data(checked, target, &image.repository).await?;
        if made { Ok(()) } else { self.check_image_exists(image).await }
    }

    /// Checks that any image of `image.push` may be rolled out, before one is made. An unfinished rollout is
    /// finished, no matter what is found. Sets the tags of `target`.
    ///
    /// # Errors
    /// If none may be rolled out, or that cannot be determined.
    pub async fn may_build(
        &self,
        checked: &CheckedAccount,
        target: &mut RolloutSpec,
    ) -> Result<(), Failure> {
        if checked.unfinished().is_some() {
            return self.check_newest_run(checked, target);
        }
        checked.require_no_errors()?;
        match self.config.image.push.first() {
            Some(repository) => self.check_run_and_user_data(checked, target, repository).await,
            None => Ok(()),
        }
    }

    async fn check_run_and_user_data(
        &self,
        checked: &CheckedAccount,
        target: &mut RolloutSpec,
        repository: &Repository,
    ) -> Result<(), Failure> {
        target.tags =
            tags::expand(&self.config.image.tags, &self.caller).map_err(Failure::refused)?;
        self.check_newest_run(checked, target)?;
        self.check_user_data(target, repository).await
    }

    /// Checks that no newer run of the same workflow is live or unfinished: an older commit must not replace a newer
    /// one because its run was repeated, or had to wait for an approval.
    fn check_newest_run(
        &self,
        checked: &CheckedAccount,
        target: &RolloutSpec,
    ) -> Result<(), Failure> {
        let Some(own) = self.caller.workflow.as_ref().filter(|_| !self.caller.force) else {
            return Ok(());
        };
        let newer = |record: &Record| {
            let number = record.run_number.filter(|number| *number > own.number);
            number.filter(|_| record.workflow.as_ref() == Some(&own.workflow))
        };
        let unfinished = checked.unfinished().and_then(newer).map(|number| (number, "unfinished"));
        let live = || checked.succeeded_rollout_of(target.origin.previous).and_then(newer);
        let Some((number, state)) = unfinished.or_else(|| Some((live()?, "live"))) else {
            return Ok(());
        };
        let message =
            format!("workflow run {} is older than run {number}, which is {state}", own.number);
        let hint = "to deploy it anyway, use `--force` (the action's input `force: true`)";
        Err(Failure::refused(message).hint(hint))
    }

    /// Checks that the live version's user data can be changed to launch any image of this repository, and that it does
    /// not launch by a tag which this rollout would move.
    pub(super) async fn check_user_data(
        &self,
        target: &RolloutSpec,
        repository: &Repository,
    ) -> Result<(), Failure> {
        let unchanged = |failure: Failure| failure.hint_first("nothing was changed");
        let version = self.cloud.version(&target.plan.template, target.origin.previous).await;
        let live = version.map_err(|error| unchanged(error.into()))?;
        let base = live.as_ref().and_then(|live| live.user_data.encoded());
        template::check_pinnable(&target.user_data, base.as_deref(), repository)
            .map_err(|error| unchanged(Failure::refused(error.to_string())))?;
        let launched = live.as_ref().and_then(|live| live.user_data.bytes()).unwrap_or_default();
        match tags::launched_tag(&target.tags, repository, launched) {
            None => Ok(()),
            Some(tag) => {
                let message = format!(
                    "the live launch template launches the tag `{tag}`, which this push would move"
                );
                let hint = "use another tag: instances must launch by digest";
                Err(Failure::refused(message).hint(hint))
            }
        }
    }

    /// Checks that an image that cutover does not push exists in its registry. A registry that denies cutover may still
    /// admit the instances.
    async fn check_image_exists(&self, image: &ImageReference) -> Result<(), Failure> {
        let is_missing = match self.cloud.owns(&image.repository) {
            true => {
                let exists = self.cloud.image_exists(image.repository.path(), &image.digest).await;
                let unread = |error| Failure::from(error).hint_first("nothing was changed");
                !exists.map_err(unread)?
            }
            false => is_missing(self.registries(), image).await,
        };
        if is_missing {
            let message = format!("{image} is not in the registry");
            return Err(Failure::refused(message).hint("push it first, or check the digest"));
        }
        Ok(())
    }
}
