//! `cutover rollback`

use super::again::Again;
use super::environment;
use super::session::{self, Reporting, Session};
use super::signals::{self, Hangup};
use super::{Common, output};
use crate::engine;
use crate::model::Ending;

/// Take traffic back to the previous version.
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
        let format = self.common.format;
        signals::block_on(format, Hangup::of_rollout(), async move |stop| {
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
            let goal = Ending::RolledBack;
            let reporting = Reporting { format, goal, now: &now, stop: &stop, net: Some(net) };
            let told = reporting.run(async |tell| again.exactly(engine.rollback(tell).await));
            let (code, outcome) = told.await;
            // Going back is what was asked for.
            if outcome.outcome == Ending::RolledBack { 0 } else { code }
        })
    }
}
