//! `cutover push`

use clap::builder::NonEmptyStringValueParser;

use super::environment::{self, variable};
use super::making::{self, How, Product};
use super::session::{self, Failure, Reporting};
use super::signals::{self, Hangup};
use super::way::{Attached, Sending, Way};
use super::{Common, output};
use crate::cloud::Cloud;
use crate::config::Config;
use crate::docker::Engine;
use crate::engine;
use crate::model::{Ending, Event, ImageReference, Outcome, Repository, Stamped};
use crate::net::Net;
use crate::publish::Pushed;

/// Build the image and push it, without rolling anything out.
///
/// Every repository gets the same image, by one compression; a tag names it once it is there. With
/// `--from` and `--to` no configuration is needed.
#[derive(Debug, clap::Args)]
pub(super) struct Push {
    #[command(flatten)]
    common: Common,
    /// An image that the container engine has, instead of what `image:` makes.
    #[arg(long, value_name = "IMAGE", value_parser = NonEmptyStringValueParser::new())]
    from: Option<String>,
    /// Where to, instead of `image.push`; several times for several.
    #[arg(long, value_name = "REPOSITORY")]
    to: Vec<Repository>,
    /// What names it there, instead of `image.tags`; several times for several.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    sending: Sending,
}

impl Push {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let net = match Net::real() {
                Ok(net) => net,
                Err(error) => return output::refuse(format, Ending::Failed, &error.to_string()),
            };
            let now = || net.clock.now();
            let goal = Ending::Succeeded;
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout: None };
            let told = reporting.run(async |tell| {
                let mut tell = |event: Event| tell(Stamped { time: now(), event });
                let pushed = stop.unless_asked(Box::pin(self.push(&net, &mut tell)));
                match pushed.await.unwrap_or_else(making::stopped) {
                    Ok(outcome) => outcome,
                    Err((ending, message)) => Outcome::new(ending, message),
                }
            });
            told.await.0
        })
    }

    async fn push(&self, net: &Net, tell: &mut dyn FnMut(Event)) -> Result<Outcome, Failure> {
        let config = match self.from.is_some() && !self.to.is_empty() {
            true => None,
            false => Some(session::configuration(&self.common)?),
        };
        let assembly = config.as_ref().and_then(|config| config.image.assembly.as_ref());
        self.sending.suits(self.from.is_none() && assembly.is_some())?;
        let caller = environment::caller(false);
        let to = match (&config, self.to.is_empty()) {
            (Some(config), true) => config.image.push.clone(),
            _ => self.to.clone(),
        };
        let tags = match (&config, self.tag.is_empty()) {
            (Some(config), true) => {
                engine::expand_tags(&config.image.tags, &caller).map_err(making::refused)?
            }
            _ => engine::expand_tags(&self.tag, &caller).map_err(making::refused)?,
        };
        let first = to.first().cloned().ok_or_else(|| {
            making::refused("nothing says where the image goes: add `image.push`, or `--to`")
        })?;
        let cloud = match to.iter().any(|repository| repository.ecr().is_some()) {
            true => Some(account(net, config.as_ref(), &self.common, &to).await?),
            false => None,
        };
        let way = Way {
            net,
            cloud: cloud.as_ref(),
            logins: &caller.logins,
            ecr: config.as_ref().map(|config| config.image.ecr).unwrap_or_default(),
            to: &to,
            format: self.common.format,
        };
        let attached = config.as_ref().map(Attached::read).transpose()?;
        if let (Some(attached), Some(_)) = (&attached, &self.from) {
            attached.suits_a_strange_image()?;
        }
        let destinations = way.destinations(&tags).await?;
        let product = self.product(config.as_ref(), &way, tell).await?;
        let pushed = way.push(&product, (&destinations, &tags), &self.sending, tell).await?;
        if let Some(attached) = &attached {
            way.attach(attached, &destinations, &pushed).await?;
        }
        way.finish(&destinations, &pushed, &tags, tell).await?;
        let image = ImageReference { repository: first, digest: pushed.digest.clone() };
        let message = summary(&image, &pushed, &tags, &to[1..]);
        Ok(Outcome {
            image: Some(image),
            commit: caller.commit.filter(|_| self.from.is_none()),
            repositories: to,
            tags,
            ..Outcome::new(Ending::Succeeded, message)
        })
    }

    /// The engine's image, or what the configuration makes.
    async fn product(
        &self,
        config: Option<&Config>,
        way: &Way<'_>,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Product, Failure> {
        let from = match (&self.from, config) {
            (Some(from), _) => from,
            (None, Some(config)) => {
                return making::make(config, &self.how, None, way.reader(), tell).await;
            }
            (None, None) => return Err(making::refused("nothing says which image to push")),
        };
        let engine = Engine::connect(variable).await.map_err(making::failed)?;
        let stored = engine.inspect(from).await.map_err(making::failed)?;
        let stored = stored.ok_or_else(|| {
            let places = engine.way();
            making::refused(format!(
                "--from: the engine at {places} has no image `{from}`: `docker images` lists those that it has"
            ))
        })?;
        let platform = config.and_then(|config| config.image.build.as_ref()?.platform.as_ref());
        match platform.filter(|platform| **platform != stored.platform) {
            Some(platform) => Err(making::refused(format!(
                "--from {from}: it is for {}, and `image.platform` says {platform}",
                stored.platform
            ))),
            None => Ok(Product::Stored(Box::new(engine), stored)),
        }
    }
}

/// What is where now, and what names it.
fn summary(
    image: &ImageReference,
    pushed: &Pushed,
    tags: &[String],
    others: &[Repository],
) -> String {
    let mut text = format!("pushed {image}");
    if pushed.top != image.digest {
        text += &format!(", of the index {}", pushed.top);
    }
    if !tags.is_empty() {
        text += &format!(", as {}", tags.join(", "));
    }
    for other in others {
        text += &format!(", and to {other}");
    }
    text
}

/// The account, for ECR: as configured, or as whom the environment says that we are.
async fn account(
    net: &Net,
    config: Option<&Config>,
    common: &Common,
    to: &[Repository],
) -> Result<Cloud, Failure> {
    match config {
        Some(config) => session::connect(net, config).await,
        None => {
            let region = to.iter().find_map(|to| Some(to.ecr()?.region.to_owned()));
            session::connect_in(net, region, common.role.as_deref()).await
        }
    }
}
