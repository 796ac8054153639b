//! `cutover rollback`

use super::environment;
use super::resume_hint::ResumeHint;
use super::session::{self, AccountContext, Reporting};
use super::signals::{self, Hangup};
use super::step::TrackedRollout;
use super::{CommonArgs, output};
use crate::planner::Planner;
use cutover_rollout::model::Status;

/// Roll back to the previous version.
///
/// Undoes an unfinished rollout. After a finished one, rolls out the version before it, which only shifts
/// traffic while the old group still has its instances (`rollback_window`). Exits with 0 once that version
/// has all traffic.
#[derive(Debug, clap::Args)]
pub(super) struct Rollback {
    #[command(flatten)]
    common: CommonArgs,
}

impl Rollback {
    pub(super) fn run(self) -> u8 {
        // A rollback was requested, so `rolled_back` is success.
        match self.run_for(Status::RolledBack, None) {
            (_, Some(Status::RolledBack)) => 0,
            (code, _) => code,
        }
    }

    /// Rolls back the rollout that a canceled deployment left unfinished: `number` and no other. This fails the
    /// deployment on GitHub, but not the step.
    pub(super) fn after_cancellation(common: CommonArgs, number: u64) -> u8 {
        match (Rollback { common }).run_for(Status::Succeeded, Some(number)) {
            (_, Some(Status::RolledBack | Status::Superseded)) => 0,
            (code, _) => code,
        }
    }

    /// Rolls back; only rollout `only`, if given. `deployment` is the outcome by which the deployment on GitHub
    /// succeeds. Returns the exit code, and the outcome if one was reached.
    fn run_for(self, deployment: Status, only: Option<u64>) -> (u8, Option<Status>) {
        let mut ending = None;
        let reached = &mut ending;
        let format = self.common.format;
        let code = signals::block_on(format, Hangup::for_rollout(), async move |stop| {
            let opened = stop.unless_stopped(Box::pin(session::open(&self.common)));
            let session = match opened.await.unwrap_or_else(session::stopped) {
                Ok(session) => session,
                Err(failure) => return output::report_error(format, failure),
            };
            let caller = environment::caller(false);
            let AccountContext { config, net, cloud } = &session;
            let planner = Planner { net, cloud, config, caller, stop: stop.clone() };
            let again = ResumeHint { common: &self.common, image: None };
            let now = || session.cloud.now();
            let rollout = Some(TrackedRollout { net, service: &config.service, goal: deployment });
            let goal = Status::RolledBack;
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout };
            let reported = reporting
                .run(async |emit| again.with_options(planner.rollback_of(only, emit).await));
            let (code, outcome) = reported.await;
            *reached = Some(outcome.outcome);
            code
        });
        (code, ending)
    }
}
