//! `verify`: checks whether a rollout could start; changes nothing.

use super::{Planner, tags};
use crate::preflight;
use cutover_rollout::model::{Outcome, Status, TimedEvent};

impl Planner<'_> {
    /// Reports everything that blocks a rollout, or may cause problems.
    pub async fn verify(&self, emit: &mut dyn FnMut(TimedEvent)) -> Outcome {
        let image = &self.config.image;
        let checked = match self.check_account(None, image.has_source(), emit).await {
            Ok(checked) => checked,
            Err(failure) => return failure.into(),
        };
        let refused =
            Outcome::new(Status::Refused, "a rollout would be refused; nothing was changed");
        if !checked.may_start() {
            return refused;
        }
        let mut target = match checked.target(self.config) {
            Ok(target) => target,
            Err(error) => return Outcome::new(Status::Refused, error.to_string()),
        };
        match tags::expand(&image.tags, &self.caller) {
            Ok(tags) => target.tags = tags,
            // Usually a person runs this, to check what a workflow will do.
            Err(why) => emit(self.finding_event(preflight::tag_needs_workflow(&why))),
        }
        // What an unfinished rollout left is up to its successor, and may be any version.
        if checked.unfinished().is_none()
            && let Some(repository) = image.push.first()
            && let Err(failure) = self.check_user_data(&target, repository).await
        {
            emit(self.finding_event(preflight::unpinnable_user_data(&failure.message_and_hint())));
            return refused;
        }
        Outcome::new(Status::Succeeded, "no errors found; a rollout can start")
    }
}
