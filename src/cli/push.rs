//! `cutover push`

use clap::builder::NonEmptyStringValueParser;

use super::environment::{self, variable};
use super::local_image::{self, BuildArgs, LocalImage};
use super::publisher::{Attachments, Publisher, PushArgs};
use super::session::{self, Reporting};
use super::signals::{self, Hangup};
use super::{CommonArgs, output};
use crate::config::Config;
use crate::engine;
use crate::publish::PushedImage;
use cutover_aws::Aws;
use cutover_docker::Engine;
use cutover_net::Net;
use cutover_rollout::model::{
    Event, Failure, ImageReference, Outcome, Repository, Status, TimedEvent,
};

/// Build the image and push it, without rolling it out.
///
/// Every repository gets the same image, with the same digest. Tags are set once the image is complete. With
/// `--from` and `--to`, no configuration file is needed.
#[derive(Debug, clap::Args)]
pub(super) struct Push {
    #[command(flatten)]
    common: CommonArgs,
    /// An image in the container engine, instead of the one that `image:` describes.
    #[arg(long, value_name = "IMAGE", value_parser = NonEmptyStringValueParser::new())]
    from: Option<String>,
    /// A repository to push to, instead of `image.push`; may be repeated.
    #[arg(long, value_name = "REPOSITORY")]
    to: Vec<Repository>,
    /// A tag to set, instead of `image.tags`; may be repeated.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    #[command(flatten)]
    how: BuildArgs,
    #[command(flatten)]
    sending: PushArgs,
}

impl Push {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let net = match Net::real() {
                Ok(net) => net,
                Err(error) => {
                    return output::report_error(format, Failure::failed(error.to_string()));
                }
            };
            let now = || net.clock.now();
            let goal = Status::Succeeded;
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout: None };
            let reported = reporting.run(async |emit| {
                let mut emit = |event: Event| emit(TimedEvent { time: now(), event });
                let pushed = stop.unless_stopped(Box::pin(self.push(&net, &mut emit)));
                match pushed.await.unwrap_or_else(local_image::stopped) {
                    Ok(outcome) => outcome,
                    Err(failure) => failure.into(),
                }
            });
            reported.await.0
        })
    }

    async fn push(&self, net: &Net, emit: &mut dyn FnMut(Event)) -> Result<Outcome, Failure> {
        let config = match self.from.is_some() && !self.to.is_empty() {
            true => None,
            false => Some(session::configuration(&self.common)?),
        };
        let assembly = config.as_ref().and_then(|config| config.image.assembly.as_ref());
        self.sending.check(self.from.is_none() && assembly.is_some())?;
        let caller = environment::caller(false);
        let to = match (&config, self.to.is_empty()) {
            (Some(config), true) => config.image.push.clone(),
            _ => self.to.clone(),
        };
        let tags = match (&config, self.tag.is_empty()) {
            (Some(config), true) => {
                engine::expand_tags(&config.image.tags, &caller).map_err(local_image::refused)?
            }
            _ => engine::expand_tags(&self.tag, &caller).map_err(local_image::refused)?,
        };
        let first = to.first().cloned().ok_or_else(|| {
            local_image::refused(
                "there is no repository to push to: add `image.push`, or use `--to`",
            )
        })?;
        let cloud = match to.iter().any(|repository| repository.ecr().is_some()) {
            true => Some(account(net, config.as_ref(), &self.common, &to).await?),
            false => None,
        };
        let way = Publisher {
            net,
            cloud: cloud.as_ref(),
            logins: &caller.logins,
            ecr: config.as_ref().map(|config| config.image.ecr).unwrap_or_default(),
            to: &to,
            format: self.common.format,
        };
        let attached = config.as_ref().map(Attachments::read).transpose()?;
        if let (Some(attached), Some(_)) = (&attached, &self.from) {
            attached.check_existing_image()?;
        }
        let destinations = way.connect(&tags).await?;
        let product = self.product(config.as_ref(), &way, emit).await?;
        let pushed = way.push(&product, (&destinations, &tags), &self.sending, emit).await?;
        if let Some(attached) = &attached {
            way.attach(attached, &destinations, &pushed).await?;
        }
        way.finish(&destinations, &pushed, &tags, emit).await?;
        let image = ImageReference { repository: first, digest: pushed.digest.clone() };
        let message = summary(&image, &pushed, &tags, &to[1..]);
        Ok(Outcome {
            image: Some(image),
            commit: caller.commit.filter(|_| self.from.is_none()),
            repositories: to,
            tags,
            ..Outcome::new(Status::Succeeded, message)
        })
    }

    /// Returns the container engine's image, or the one that the configuration describes.
    async fn product(
        &self,
        config: Option<&Config>,
        way: &Publisher<'_>,
        emit: &mut dyn FnMut(Event),
    ) -> Result<LocalImage, Failure> {
        let from = match (&self.from, config) {
            (Some(from), _) => from,
            (None, Some(config)) => {
                return local_image::build_or_assemble(config, &self.how, None, way.reader(), emit)
                    .await;
            }
            (None, None) => {
                return Err(local_image::refused("there is no image to push: use `--from`"));
            }
        };
        let engine = Engine::connect(variable).await.map_err(local_image::failed)?;
        let stored = engine.inspect(from).await.map_err(local_image::failed)?;
        let stored = stored.ok_or_else(|| {
            let places = engine.host();
            local_image::refused(format!(
                "--from: the container engine at {places} has no image `{from}`; `docker images` lists its images"
            ))
        })?;
        let platform = config.and_then(|config| config.image.build.as_ref()?.platform.as_ref());
        match platform.filter(|platform| **platform != stored.platform) {
            Some(platform) => Err(local_image::refused(format!(
                "--from {from}: the image is for {}, but `image.platform` is {platform}",
                stored.platform
            ))),
            None => Ok(LocalImage::Stored(Box::new(engine), stored)),
        }
    }
}

/// Returns what was pushed to which repositories, with which tags.
fn summary(
    image: &ImageReference,
    pushed: &PushedImage,
    tags: &[String],
    others: &[Repository],
) -> String {
    let mut text = format!("pushed {image}");
    if pushed.tag_target != image.digest {
        text += &format!(", in the index {}", pushed.tag_target);
    }
    if !tags.is_empty() {
        text += &format!(", tagged {}", tags.join(", "));
    }
    for other in others {
        text += &format!(", and to {other}");
    }
    text
}

/// Connects to the account for ECR: the configured one, or that of the environment's credentials.
async fn account(
    net: &Net,
    config: Option<&Config>,
    common: &CommonArgs,
    to: &[Repository],
) -> Result<Aws, Failure> {
    match config {
        Some(config) => session::connect(net, config).await,
        None => {
            let region = to.iter().find_map(|to| Some(to.ecr()?.region.to_owned()));
            session::connect_in(net, region, common.role.as_deref()).await
        }
    }
}
