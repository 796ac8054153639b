//! `cutover deploy`

use std::str::FromStr as _;

use super::again::Again;
use super::session::{self, Failure, Session};
use super::signals::{self, Hangup};
use super::{Common, output};
use crate::config::Config;
use crate::engine;
use crate::image::{self, Annotations, Bases, Image};
use crate::model::{Ending, ImageReference};

/// Build, push and roll out; go on with what a killed run left.
#[derive(Debug, clap::Args)]
pub(super) struct Deploy {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    shipment: Shipment,
    /// Deploy although a newer workflow run has been promoted.
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
        signals::block_on(format, Hangup::Ignored, async move |stop| {
            let opened = stop.unless_asked(Box::pin(async {
                let session = session::open(&self.common).await?;
                let (image, made) = self.shipment.resolve(&session.config).await?;
                Ok::<_, Failure>((session, image, made))
            }));
            let (session, image, made) = match opened.await.unwrap_or_else(session::stopped) {
                Ok(opened) => opened,
                Err((ending, message)) => return output::refuse(format, ending, &message),
            };
            let caller = session::caller(self.force);
            let Session { config, net, cloud } = &session;
            let engine = engine::Session { net, cloud, config, caller, stop: stop.clone() };
            let again = Again { common: &self.common, image: self.shipment.image.as_deref() };
            let told = session::tell(format, (&session, &stop), async |tell| {
                again.exactly(engine.deploy(image, made, tell).await)
            });
            told.await.0
        })
    }
}

impl Shipment {
    /// The reference, and the image behind it if it is made here.
    pub(super) async fn resolve(
        &self,
        config: &Config,
    ) -> Result<(ImageReference, Option<Image>), Failure> {
        if let Some(text) = &self.image {
            let image = ImageReference::from_str(text)
                .map_err(|error| (Ending::Refused, format!("--image: {error}")))?;
            return Ok((image, None));
        }
        let (repository, assembly) =
            config.assembly().map_err(|error| (Ending::Refused, error.to_string()))?;
        // Beside, because compressing takes the processor for a while, and signals are heeded here.
        let (parts, directory) = (assembly.clone(), config.directory.clone());
        let (bases, annotations) = (Bases::default(), Annotations::default());
        let make = move || image::assemble(&parts, &directory, &bases, &annotations);
        let made = tokio::task::spawn_blocking(make)
            .await
            .map_err(|error| (Ending::Failed, error.to_string()))?
            .map_err(|error| (Ending::Refused, error.to_string()))?;
        let reference =
            ImageReference { repository: repository.clone(), digest: made.digest().clone() };
        Ok((reference, Some(made)))
    }
}
