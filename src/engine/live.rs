//! An image that is live already: nothing is made, but success is still read.

use std::time::Duration;

use super::check::Checked;
use super::observe::{Carried, Scene, observe};
use super::{Ledger, Session, Target, Wanted, claim};
use crate::model::{
    Ending, Event, FleetFacts, Goal, ImageReference, Outcome, Phase, Record, Stamped,
};
use crate::rollout;

/// How often the fleet is looked at until success is proven.
const LOOK: Duration = Duration::from_secs(15);

impl Session<'_> {
    /// The outcome where this very image is live. A fleet is never still: a group balances its zones
    /// or replaces an instance, and its newcomer is as good as any once it is healthy. So success is
    /// waited for as long as after a rollout.
    pub(super) async fn already_live(
        &self,
        checked: &Checked,
        target: &Target,
        image: &ImageReference,
        tell: &mut dyn FnMut(Stamped),
    ) -> Option<Outcome> {
        let version = target.origin.previous;
        let facts = self.cloud.version(&target.plan.template, version).await.ok()??;
        if !facts.user_data.bytes().is_some_and(|data| crate::template::is_pinned(data, image)) {
            return None;
        }
        let record = self.as_if_verified(checked, target, image);
        let mut outcome = match self.proven(target, &record, tell).await {
            Ok(()) => Outcome::new(
                Ending::Succeeded,
                format!("this image is live already, as version {version}: nothing to do"),
            ),
            Err(why) => Outcome::new(
                Ending::Failed,
                format!("this image is live already, as version {version}, but that is not proven: {why}"),
            )
            .hint("nothing was changed; `cutover status` shows the fleet"),
        };
        outcome.proof = (outcome.outcome == Ending::Succeeded).then_some("launched");
        outcome.launch_template_version = Some(version);
        outcome.previous_version = Some(version);
        outcome.weights = target.weights;
        Some(outcome)
    }

    /// Looks until success is proven; what is missing, where it is not in time.
    async fn proven(
        &self,
        target: &Target,
        record: &Record,
        tell: &mut dyn FnMut(Stamped),
    ) -> Result<(), String> {
        let ledger = Ledger::new(self.cloud, &self.config.service);
        let scene = Scene { cloud: self.cloud, ledger: &ledger, target };
        let until = self.cloud.now() + target.plan.deadlines.healthy;
        let mut told = None;
        loop {
            let unproven = match observe(&scene, record, Carried::default()).await {
                Ok(observed) => rollout::unproven(&target.plan, record, &observed.seen),
                Err(error) => Some(error.to_string()),
            };
            let Some(why) = unproven else { return Ok(()) };
            let time = self.cloud.now();
            if time >= until {
                return Err(why);
            }
            if told.as_ref() != Some(&why) {
                let event = Event::Waiting { message: why.clone(), until: Some(until) };
                tell(Stamped { time, event });
                told = Some(why);
            }
            self.net.clock.sleep(LOOK).await;
        }
    }

    /// The record of a run that shipped what is live and has come to its proof.
    fn as_if_verified(&self, checked: &Checked, target: &Target, image: &ImageReference) -> Record {
        let wanted = Wanted::Image(image.clone());
        let wish = self.wish(wanted, Goal::Deploy, self.config.strategy, String::new());
        let newest = checked.records.last().map_or(0, |record| record.number);
        let mut record = claim::fresh(newest, &wish, &target.origin, self.cloud.now());
        record.phase = Phase::Verify;
        record.version = Some(target.origin.previous);
        record.image = Some(image.clone());
        if let FleetFacts::TwoGroups(facts) = &mut record.fleet {
            facts.from = facts.from.other();
        }
        record
    }
}
