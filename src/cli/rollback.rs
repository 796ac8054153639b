//! `cutover rollback`

use super::again::Again;
use super::environment;
use super::session::{self, Reporting, Session};
use super::signals::{self, Hangup};
use super::step::Followed;
use super::{Common, output};
use crate::engine;
use crate::model::Ending;

/// Roll back to the previous version.
///
/// An unfinished rollout is undone; a finished one is followed by one to the version before it,
/// which is a matter of weights while the old group is still warm. Exits with 0 once that version
/// has all traffic.
#[derive(Debug, clap::Args)]
pub(super) struct Rollback {
    #[command(flatten)]
    common: Common,
}

impl Rollback {
    pub(super) fn run(self) -> u8 {
        // Going back is what was asked for.
        match self.run_for(Ending::RolledBack, None) {
            (_, Some(Ending::RolledBack)) => 0,
            (code, _) => code,
        }
    }

    /// Rolls back what a canceled deployment has left: rollout `number` alone. The deployment has failed by
    /// that, the step has not.
    pub(super) fn after_cancellation(common: Common, number: u64) -> u8 {
        match (Rollback { common }).run_for(Ending::Succeeded, Some(number)) {
            (_, Some(Ending::RolledBack | Ending::Superseded)) => 0,
            (code, _) => code,
        }
    }

    /// `deployment` is the outcome by which the deployment on GitHub succeeds. Gives the exit code, and the
    /// outcome where one was reached.
    fn run_for(self, deployment: Ending, only: Option<u64>) -> (u8, Option<Ending>) {
        let mut ending = None;
        let reached = &mut ending;
        let format = self.common.format;
        let code = signals::block_on(format, Hangup::of_rollout(), async move |stop| {
            let opened = stop.unless_asked(Box::pin(session::open(&self.common)));
            let session = match opened.await.unwrap_or_else(session::stopped) {
                Ok(session) => session,
                Err((ending, message)) => return output::refuse(format, ending, &message),
            };
            let caller = environment::caller(false);
            let Session { config, net, cloud } = &session;
            let engine = engine::Session { net, cloud, config, caller, stop: stop.clone() };
            let again = Again { common: &self.common, image: None };
            let now = || session.cloud.now();
            let rollout = Some(Followed { net, service: &config.service, goal: deployment });
            let goal = Ending::RolledBack;
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout };
            let told =
                reporting.run(async |tell| again.exactly(engine.rollback_of(only, tell).await));
            let (code, outcome) = told.await;
            *reached = Some(outcome.outcome);
            code
        });
        (code, ending)
    }
}
