//! `cutover deploy`

use std::str::FromStr as _;

use super::environment;
use super::push_args::{BuildArgs, PushArgs};
use super::resume_hint::ResumeHint;
use super::session::{self, AccountContext, Reporting};
use super::signals::{self, Hangup};
use super::step::TrackedRollout;
use super::{CommonArgs, output};
use crate::build::ImageBuilder;
use crate::planner::Planner;
use cutover_rollout::model::{Failure, ImageReference, Status};

/// Build, push and roll out the image, or resume an unfinished rollout.
///
/// Rolls back automatically if the new version is worse than the old one. If a run is killed at any moment,
/// the next one resumes the rollout.
#[derive(Debug, clap::Args)]
pub(super) struct Deploy {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    image: ImageArgs,
    #[command(flatten)]
    build: BuildArgs,
    #[command(flatten)]
    push: PushArgs,
    /// Deploy even if a newer run of the same workflow is live or in progress.
    #[arg(long)]
    force: bool,
}

/// The options that select the image.
#[derive(Debug, clap::Args)]
pub(super) struct ImageArgs {
    /// An image that is already in a registry, instead of the one that `image:` describes.
    #[arg(long, value_name = "REPOSITORY@DIGEST")]
    image: Option<String>,
}

impl Deploy {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        signals::block_on(format, Hangup::for_rollout(), async move |stop| {
            let opened = stop.unless_stopped(Box::pin(async {
                let session = session::open(&self.common).await?;
                let config = &session.config;
                let options = self.push.options(Some(config), config.image.assembly.is_some())?;
                Ok::<_, Failure>((self.image.existing()?, session, options))
            }));
            let (existing, session, options) = match opened.await.unwrap_or_else(session::stopped) {
                Ok(opened) => opened,
                Err(failure) => return output::report_error(format, failure),
            };
            let caller = environment::caller(self.force);
            let AccountContext { config, net, cloud } = &session;
            let planner = Planner { net, cloud, config, caller, stop: stop.clone() };
            let now = || cloud.now();
            let goal = Status::Succeeded;
            let rollout = Some(TrackedRollout { net, service: &config.service, goal });
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout };
            let reported = reporting.run(async |emit| {
                let outcome = match &existing {
                    Some(image) => planner.deploy_existing(image, emit).await,
                    None => {
                        let builder = ImageBuilder {
                            config,
                            access: planner.registries(),
                            variable: environment::variable,
                            no_cache: self.build.no_cache,
                        };
                        planner
                            .deploy(&options, async |emit| builder.make(None, emit).await, emit)
                            .await
                    }
                };
                // Another build may have another digest; what is assembled, and nothing else, is the same again.
                let again = match config.image.assembly {
                    Some(_) => existing.as_ref(),
                    None => existing.as_ref().or(outcome.image.as_ref()),
                };
                let again = again.map(ToString::to_string);
                let hint = ResumeHint { common: &self.common, image: again.as_deref() };
                hint.with_options(outcome)
            });
            reported.await.0
        })
    }
}

impl ImageArgs {
    /// Returns the image that is in a registry already, if the options name one.
    pub(super) fn existing(&self) -> Result<Option<ImageReference>, Failure> {
        let parse = |text: &String| {
            ImageReference::from_str(text)
                .map_err(|error| Failure::refused(format!("--image: {error}")))
        };
        self.image.as_ref().map(parse).transpose()
    }
}
