//! An image that is already live: nothing is changed, but success is still proven.

use std::time::Duration;

use super::Planner;
use super::check::CheckedAccount;
use crate::runner::{
    Desired, Ledger, ObserveContext, RolloutSpec, TickState, fresh_record, observe,
};
use cutover_rollout as rollout;
use cutover_rollout::model::{
    Event, Failure, FleetFacts, Goal, ImageReference, Outcome, Phase, Record, Status, TimedEvent,
};

/// The time between two observations until success is proven.
const PROOF_INTERVAL: Duration = Duration::from_secs(15);

impl Planner<'_> {
    /// Returns the outcome if this very image is live. A fleet is never still: a group rebalances its zones or
    /// replaces an instance, and the new instance is fine once it is healthy. So this waits for the proof as long as
    /// a rollout does.
    pub(super) async fn already_live(
        &self,
        checked: &CheckedAccount,
        target: &RolloutSpec,
        image: &ImageReference,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Result<Option<Outcome>, Failure> {
        let version = target.origin.previous;
        let facts = self.cloud.version(&target.plan.template, version).await;
        let facts =
            facts.map_err(|error| Failure::from(error).hint_first("nothing was changed"))?;
        let user_data = facts.as_ref().and_then(|facts| facts.user_data.bytes());
        if !user_data.is_some_and(|data| cutover_rollout::template::is_pinned(data, image)) {
            return Ok(None);
        }
        let record = self.as_if_verified(checked, target, image);
        let mut outcome = match self.wait_for_proof(target, &record, emit).await {
            Ok(()) => Outcome::new(
                Status::Succeeded,
                format!("this image is already live as version {version}: nothing to do"),
            ),
            Err(why) => Outcome::new(
                Status::Failed,
                format!("this image is already live as version {version}, but that could not be proven: {why}"),
            )
            .hint("nothing was changed; run `cutover status` to see the groups and rules"),
        };
        outcome.proof = (outcome.outcome == Status::Succeeded).then_some("launched");
        outcome.launch_template_version = Some(version);
        outcome.previous_version = Some(version);
        outcome.shares = target.shares;
        Ok(Some(outcome))
    }

    /// Observes until success is proven. Fails with what the proof lacks if that takes too long.
    async fn wait_for_proof(
        &self,
        target: &RolloutSpec,
        record: &Record,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Result<(), String> {
        let ledger = Ledger::new(self.cloud, &self.config.service);
        let scene = ObserveContext { cloud: self.cloud, ledger: &ledger, target };
        let until = self.cloud.now() + target.plan.deadlines.healthy;
        let mut reported = None;
        loop {
            let proven = match observe(&scene, record, TickState::default()).await {
                Ok(observed) => rollout::prove(&target.plan, record, &observed.observation)
                    .map_err(|why| why.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let Err(why) = proven else { return Ok(()) };
            let time = self.cloud.now();
            if time >= until {
                return Err(why);
            }
            if reported.as_ref() != Some(&why) {
                let event = Event::Waiting { message: why.clone(), until: Some(until) };
                emit(TimedEvent { time, event });
                reported = Some(why);
            }
            self.net.clock.sleep(PROOF_INTERVAL).await;
        }
    }

    /// Returns the record of a run that has rolled out what is live, and is about to prove it.
    fn as_if_verified(
        &self,
        checked: &CheckedAccount,
        target: &RolloutSpec,
        image: &ImageReference,
    ) -> Record {
        let wanted = Desired::Image(image.clone());
        let wish = self.wish(wanted, Goal::Deploy, self.config.strategy, String::new());
        let newest = checked.records.last().map_or(0, |record| record.number);
        let mut record = fresh_record(newest, &wish, &target.origin, self.cloud.now());
        record.phase = Phase::Verify;
        record.version = Some(target.origin.previous);
        record.image = Some(image.clone());
        if let FleetFacts::TwoGroups(facts) = &mut record.fleet {
            facts.old = facts.old.other();
        }
        record
    }
}
