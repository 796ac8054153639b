//! `verify`: whether a rollout could begin; nothing is changed.

use super::refusal::any;
use super::{Session, tags};
use crate::model::{Ending, Outcome, Stamped};
use crate::preflight;

impl Session<'_> {
    /// Tells everything that stands in the way of a rollout, or may.
    pub async fn verify(&self, tell: &mut dyn FnMut(Stamped)) -> Outcome {
        let image = &self.config.image;
        let checked = match self.look(None, image.is_made(), tell).await {
            Ok(checked) => checked,
            Err(outcome) => return *outcome,
        };
        let refused =
            Outcome::new(Ending::Refused, "a rollout would be refused; nothing was changed");
        if !checked.passes() {
            return refused;
        }
        let mut target = match checked.target(self.config) {
            Ok(target) => target,
            Err(error) => return Outcome::new(Ending::Refused, error.to_string()),
        };
        match tags::expand(&image.tags, &self.caller) {
            Ok(tags) => target.tags = tags,
            // Most often asked by a person, about what a workflow will do.
            Err(why) => tell(self.found(preflight::tag_of_a_workflow(&why))),
        }
        // What an unfinished rollout left is its successor's, and may be any version.
        if checked.unfinished().is_none()
            && let Some(repository) = image.push.first()
            && let Some(unfit) = self.unfit(&target, &any(repository)).await
        {
            tell(self.found(preflight::unfit_user_data(&unfit.message)));
            return refused;
        }
        Outcome::new(Ending::Succeeded, "everything is there and fits together")
    }
}
