//! `cutover verify`

use super::environment;
use super::session::{self, AccountContext, Reporting};
use super::signals::{self, Hangup};
use super::{CommonArgs, output};
use crate::build::ImageBuilder;
use crate::planner::Planner;
use crate::preflight;
use cutover_rollout::model::{Outcome, Status};

/// Check that everything in cutover.yaml exists and fits together, without changing anything.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    common: CommonArgs,
}

impl Verify {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let opened = stop.unless_stopped(Box::pin(session::open(&self.common)));
            let session = match opened.await.unwrap_or_else(session::stopped) {
                Ok(session) => session,
                Err(failure) => return output::report_error(format, failure),
            };
            let AccountContext { config, net, cloud } = &session;
            let now = || cloud.now();
            let caller = environment::caller(false);
            let planner = Planner { net, cloud, config, caller, stop: stop.clone() };
            let goal = Status::Succeeded;
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout: None };
            let reported = reporting.run(async |emit| {
                let verified = Box::pin(async {
                    // A finding, not an error: usually a person runs `verify`, and a workflow builds the image.
                    let builder = ImageBuilder {
                        config,
                        access: planner.registries(),
                        variable: environment::variable,
                        no_cache: false,
                    };
                    if let Err(failure) = builder.check().await {
                        emit(planner.finding_event(preflight::image_cannot_be_built(
                            &failure.message_and_hint(),
                        )));
                    }
                    planner.verify(emit).await
                });
                stop.unless_stopped(verified).await.unwrap_or_else(|| {
                    Outcome::new(Status::Interrupted, "stopped; nothing was changed")
                })
            });
            reported.await.0
        })
    }
}
