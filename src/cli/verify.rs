//! `cutover verify`

use super::environment;
use super::making;
use super::session::{self, Reporting, Session};
use super::signals::{self, Hangup};
use super::{Common, output};
use crate::engine;
use crate::model::{Ending, Outcome};
use crate::preflight;

/// Check that everything in cutover.yaml exists and fits together; change nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    common: Common,
}

impl Verify {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let opened = stop.unless_asked(Box::pin(session::open(&self.common)));
            let session = match opened.await.unwrap_or_else(session::stopped) {
                Ok(session) => session,
                Err((ending, message)) => return output::refuse(format, ending, &message),
            };
            let Session { config, net, cloud } = &session;
            let now = || cloud.now();
            let caller = environment::caller(false);
            let engine = engine::Session { net, cloud, config, caller, stop: stop.clone() };
            let goal = Ending::Succeeded;
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout: None };
            let told = reporting.run(async |tell| {
                let verified = Box::pin(async {
                    // Most often asked by a person, where a workflow will make the image.
                    if let Err((_, why)) = making::is_possible(config, engine.reader()).await {
                        tell(engine.found(preflight::not_made_here(&why)));
                    }
                    engine.verify(tell).await
                });
                stop.unless_asked(verified).await.unwrap_or_else(|| {
                    Outcome::new(Ending::Interrupted, "stopped; nothing was changed")
                })
            });
            told.await.0
        })
    }
}
