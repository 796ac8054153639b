//! `cutover deploy`

use std::str::FromStr as _;

use super::environment;
use super::local_image::{self, BuildArgs, LocalImage};
use super::publisher::{Attachments, Publisher, PushArgs};
use super::resume_hint::ResumeHint;
use super::session::{self, AccountContext, Reporting};
use super::signals::{self, Hangup};
use super::step::TrackedRollout;
use super::{CommonArgs, output};
use crate::engine::{self, ImageSource, Stop};
use crate::publish::AssembledPush;
use cutover_rollout::model::{Event, Failure, ImageReference, Status, TimedEvent};

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
                let image = self.image.resolve(&session).await?;
                Ok::<_, Failure>((session, image))
            }));
            let (session, image) = match opened.await.unwrap_or_else(session::stopped) {
                Ok(opened) => opened,
                Err(failure) => return output::report_error(format, failure),
            };
            let caller = environment::caller(self.force);
            let AccountContext { config, net, cloud } = &session;
            let engine = engine::Session { net, cloud, config, caller, stop: stop.clone() };
            let now = || cloud.now();
            let goal = Status::Succeeded;
            let rollout = Some(TrackedRollout { net, service: &config.service, goal });
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout };
            let reported = reporting.run(async |emit| {
                let (image, made) =
                    match self.publish_before_claim(image, &engine, &stop, emit).await {
                        Ok(brought) => brought,
                        Err(failure) => return failure.into(),
                    };
                let again = match (&self.image.image, &made) {
                    (None, ImageSource::Built) => Some(image.to_string()),
                    (named, _) => named.clone(),
                };
                let again = ResumeHint { common: &self.common, image: again.as_deref() };
                again.with_options(engine.deploy(image, made, emit).await)
            });
            reported.await.0
        })
    }

    /// Publishes, before the claim, the images that must be in the registries by then: one that is built,
    /// because its digest is known only afterwards, and one that something is attached to. Publishes nothing
    /// if the rollout is blocked.
    async fn publish_before_claim(
        &self,
        known: Option<(ImageReference, ImageSource)>,
        engine: &engine::Session<'_>,
        stop: &Stop,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Result<(ImageReference, ImageSource), Failure> {
        let engine::Session { net, cloud, config, caller, .. } = engine;
        let assembled = matches!(known, Some((_, ImageSource::Assembled(_))));
        self.push.check(assembled)?;
        let product = match known {
            Some((image, ImageSource::Assembled(made))) if !config.image.attach.is_nothing() => {
                Some((image, made))
            }
            Some(known) => return Ok(known),
            None => None,
        };
        engine.check_before_build(emit).await?;
        let way = Publisher {
            net,
            cloud: Some(cloud),
            logins: &caller.logins,
            ecr: config.image.ecr,
            to: &config.image.push,
            format: self.common.format,
        };
        let mut emit = |event: Event| emit(TimedEvent { time: cloud.now(), event });
        let brought = Box::pin(async {
            let tags =
                engine::expand_tags(&config.image.tags, caller).map_err(local_image::refused)?;
            let attached = Attachments::read(config)?;
            let to = way.connect(&tags).await?;
            let product = match product {
                Some((_, made)) => LocalImage::Assembled(*made),
                None => {
                    local_image::build_or_assemble(
                        config,
                        &self.build,
                        None,
                        way.reader(),
                        &mut emit,
                    )
                    .await?
                }
            };
            let pushed = way.push(&product, (&to, &tags), &self.push, &mut emit).await?;
            way.attach(&attached, &to, &pushed).await?;
            let first = to.into_iter().next().map(|to| to.repository);
            let repository = first.ok_or_else(|| Failure::refused("`image.push` is empty"))?;
            let image = ImageReference { repository, digest: pushed.digest };
            Ok(match product {
                LocalImage::Assembled(made) => (image, ImageSource::Assembled(Box::new(made))),
                LocalImage::Stored(..) => (image, ImageSource::Built),
            })
        });
        stop.unless_stopped(brought).await.unwrap_or_else(local_image::stopped)
    }
}

impl ImageArgs {
    /// Returns the image and where it comes from; `None` if it has to be built first.
    pub(super) async fn resolve(
        &self,
        session: &AccountContext,
    ) -> Result<Option<(ImageReference, ImageSource)>, Failure> {
        let AccountContext { config, net, cloud } = session;
        if let Some(text) = &self.image {
            let image = ImageReference::from_str(text)
                .map_err(|error| Failure::refused(format!("--image: {error}")))?;
            return Ok(Some((image, ImageSource::Remote)));
        }
        if config.image.build.is_some() {
            return Ok(None);
        }
        let logins = environment::caller(false).logins;
        let reader = AssembledPush { net, cloud: Some(cloud), logins: &logins };
        let (reference, made) = local_image::assemble(config, reader).await?;
        Ok(Some((reference, ImageSource::Assembled(Box::new(made)))))
    }
}
