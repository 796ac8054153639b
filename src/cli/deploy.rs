//! `cutover deploy`

use std::str::FromStr as _;

use super::again::Again;
use super::environment;
use super::making::{self, How, Product};
use super::session::{self, Failure, Reporting, Session};
use super::signals::{self, Hangup};
use super::step::Followed;
use super::way::{Attached, Sending, Way};
use super::{Common, output};
use crate::engine::{self, Made, Stop};
use crate::model::{Ending, Event, ImageReference, Outcome, Stamped};
use crate::publish::Reader;

/// Build, push and roll out; resume an unfinished rollout.
#[derive(Debug, clap::Args)]
pub(super) struct Deploy {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    shipment: Shipment,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    sending: Sending,
    /// Deploy even if a newer run of the same workflow is live or in progress.
    #[arg(long)]
    force: bool,
}

/// Which image.
#[derive(Debug, clap::Args)]
pub(super) struct Shipment {
    /// An image that is in the registry already, instead of what `image:` makes.
    #[arg(long, value_name = "REPOSITORY@DIGEST")]
    image: Option<String>,
}

impl Deploy {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        signals::block_on(format, Hangup::of_rollout(), async move |stop| {
            let opened = stop.unless_asked(Box::pin(async {
                let session = session::open(&self.common).await?;
                let image = self.shipment.resolve(&session).await?;
                Ok::<_, Failure>((session, image))
            }));
            let (session, image) = match opened.await.unwrap_or_else(session::stopped) {
                Ok(opened) => opened,
                Err((ending, message)) => return output::refuse(format, ending, &message),
            };
            let caller = environment::caller(self.force);
            let Session { config, net, cloud } = &session;
            let engine = engine::Session { net, cloud, config, caller, stop: stop.clone() };
            let now = || cloud.now();
            let goal = Ending::Succeeded;
            let rollout = Some(Followed { net, service: &config.service, goal });
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout };
            let told = reporting.run(async |tell| {
                let (image, made) = match self.brought(image, &engine, &stop, tell).await {
                    Ok(brought) => brought,
                    Err(outcome) => return *outcome,
                };
                let again = match (&self.shipment.image, &made) {
                    (None, Made::Built) => Some(image.to_string()),
                    (named, _) => named.clone(),
                };
                let again = Again { common: &self.common, image: again.as_deref() };
                again.exactly(engine.deploy(image, made, tell).await)
            });
            told.await.0
        })
    }

    /// What has to be in the registries before there is a claim: an image that is built, since only
    /// then its digest is known, and one that something is to be put beside. Nothing is brought where
    /// something speaks against a rollout.
    async fn brought(
        &self,
        known: Option<(ImageReference, Made)>,
        engine: &engine::Session<'_>,
        stop: &Stop,
        tell: &mut dyn FnMut(Stamped),
    ) -> Result<(ImageReference, Made), Box<Outcome>> {
        let ended = |(ending, message): Failure| Box::new(Outcome::new(ending, message));
        let engine::Session { net, cloud, config, caller, .. } = engine;
        let assembled = matches!(known, Some((_, Made::Assembled(_))));
        self.sending.suits(assembled).map_err(ended)?;
        let product = match known {
            Some((image, Made::Assembled(made))) if !config.image.attach.is_nothing() => {
                Some((image, made))
            }
            Some(known) => return Ok(known),
            None => None,
        };
        if let Some(obstacle) = engine.before_building(tell).await {
            return Err(Box::new(obstacle));
        }
        let way = Way {
            net,
            cloud: Some(cloud),
            logins: &caller.logins,
            ecr: config.image.ecr,
            to: &config.image.push,
            format: self.common.format,
        };
        let mut tell = |event: Event| tell(Stamped { time: cloud.now(), event });
        let brought = Box::pin(async {
            let tags = engine::expand_tags(&config.image.tags, caller).map_err(making::refused)?;
            let attached = Attached::read(config)?;
            let to = way.destinations(&tags).await?;
            let product = match product {
                Some((_, made)) => Product::Assembled(*made),
                None => making::make(config, &self.how, None, way.reader(), &mut tell).await?,
            };
            let pushed = way.push(&product, (&to, &tags), &self.sending, &mut tell).await?;
            way.attach(&attached, &to, &pushed).await?;
            let first = to.into_iter().next().map(|to| to.repository);
            let nowhere = (Ending::Refused, "`image.push` is empty".to_owned());
            let image = ImageReference { repository: first.ok_or(nowhere)?, digest: pushed.digest };
            Ok(match product {
                Product::Assembled(made) => (image, Made::Assembled(Box::new(made))),
                Product::Stored(..) => (image, Made::Built),
            })
        });
        stop.unless_asked(brought).await.unwrap_or_else(making::stopped).map_err(ended)
    }
}

impl Shipment {
    /// The image and how it comes into the registries; `None` where it has to be built first.
    pub(super) async fn resolve(
        &self,
        session: &Session,
    ) -> Result<Option<(ImageReference, Made)>, Failure> {
        let Session { config, net, cloud } = session;
        if let Some(text) = &self.image {
            let image = ImageReference::from_str(text)
                .map_err(|error| (Ending::Refused, format!("--image: {error}")))?;
            return Ok(Some((image, Made::Elsewhere)));
        }
        if config.image.build.is_some() {
            return Ok(None);
        }
        let logins = environment::caller(false).logins;
        let reader = Reader { net, cloud: Some(cloud), logins: &logins };
        let (reference, made) = making::assemble(config, reader).await?;
        Ok(Some((reference, Made::Assembled(Box::new(made)))))
    }
}
