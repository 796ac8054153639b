//! `cutover push`

use clap::builder::NonEmptyStringValueParser;

use super::environment::{self, variable};
use super::push_args::{BuildArgs, PushArgs};
use super::session::{self, Reporting};
use super::signals::{self, Hangup};
use super::{CommonArgs, output};
use crate::build::ImageBuilder;
use crate::planner;
use crate::publish::{ImageSource, Publication, Publisher, RegistryAccess};
use cutover_aws::Aws;
use cutover_config::Config;
use cutover_docker::Engine;
use cutover_net::Net;
use cutover_rollout::model::{Event, Failure, Outcome, Repository, Status, TimedEvent};

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
                match pushed.await.unwrap_or_else(stopped) {
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
        let assembled = self.from.is_none() && assembly.is_some();
        let options = self.sending.options(config.as_ref(), assembled)?;
        if self.from.is_some() {
            options.attachments.check_existing_image()?;
        }
        let caller = environment::caller(false);
        let to = match (&config, self.to.is_empty()) {
            (Some(config), true) => config.image.push.clone(),
            _ => self.to.clone(),
        };
        let tags = match (&config, self.tag.is_empty()) {
            (Some(config), true) => &config.image.tags,
            _ => &self.tag,
        };
        let tags = planner::expand_tags(tags, &caller).map_err(Failure::refused)?;
        if to.is_empty() {
            let message = "there is no repository to push to: add `image.push`, or use `--to`";
            return Err(Failure::refused(message));
        }
        let cloud = match to.iter().any(|repository| repository.ecr().is_some()) {
            true => Some(account(net, config.as_ref(), &self.common, &to).await?),
            false => None,
        };
        let access = RegistryAccess { net, cloud: cloud.as_ref(), logins: &caller.logins };
        let ecr = config.as_ref().map(|config| config.image.ecr).unwrap_or_default();
        let publisher = Publisher {
            access,
            repositories: &to,
            create: ecr.create.as_ref(),
            scan: ecr.scan.as_ref(),
            options: &options,
        };
        let connected = publisher.connect(tags.clone()).await?;
        let source = self.source(config.as_ref(), access, emit).await?;
        let published = connected.publish(&source, emit).await?;
        for message in published.tag().await? {
            emit(Event::Notice { message });
        }
        let message = summary(&published, &to[1..]);
        Ok(Outcome {
            image: Some(published.reference().clone()),
            commit: caller.commit.filter(|_| self.from.is_none()),
            repositories: to,
            tags,
            ..Outcome::new(Status::Succeeded, message)
        })
    }

    /// Returns the container engine's image, or the one that the configuration describes.
    async fn source(
        &self,
        config: Option<&Config>,
        access: RegistryAccess<'_>,
        emit: &mut dyn FnMut(Event),
    ) -> Result<ImageSource, Failure> {
        let from = match (&self.from, config) {
            (Some(from), _) => from,
            (None, Some(config)) => {
                let no_cache = self.how.no_cache;
                return ImageBuilder { config, access, variable, no_cache }.make(None, emit).await;
            }
            (None, None) => {
                return Err(Failure::refused("there is no image to push: use `--from`"));
            }
        };
        let failed = |error: cutover_docker::EngineError| Failure::failed(error.to_string());
        let engine = Engine::connect(variable).await.map_err(failed)?;
        let stored = engine.inspect(from).await.map_err(failed)?;
        let stored = stored.ok_or_else(|| {
            let places = engine.host();
            Failure::refused(format!(
                "--from: the container engine at {places} has no image `{from}`; `docker images` lists its images"
            ))
        })?;
        let platform = config.and_then(|config| config.image.build.as_ref()?.platform.as_ref());
        match platform.filter(|platform| **platform != stored.platform) {
            Some(platform) => Err(Failure::refused(format!(
                "--from {from}: the image is for {}, but `image.platform` is {platform}",
                stored.platform
            ))),
            None => Ok(ImageSource::Engine(Box::new(engine), stored)),
        }
    }
}

/// Returns the failure of a push that was stopped.
fn stopped<T>() -> Result<T, Failure> {
    let message = "stopped: the next push reuses what was uploaded; no tag was set unless the upload was \
                   complete";
    Err(Failure::new(Status::Interrupted, message))
}

/// Returns what was pushed to which repositories, with which tags.
fn summary(published: &Publication<'_>, others: &[Repository]) -> String {
    let (image, pushed) = (published.reference(), published.image());
    let mut text = format!("pushed {image}");
    if pushed.tag_target != image.digest {
        text += &format!(", in the index {}", pushed.tag_target);
    }
    if !published.tags().is_empty() {
        text += &format!(", tagged {}", published.tags().join(", "));
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
