//! `cutover deploy`

use std::str::FromStr as _;

use super::session::{self, Failure, Session};
use super::{Common, output};
use crate::config::Config;
use crate::engine;
use crate::image::{self, Image};
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
        session::block_on(format, async move |stop| {
            let opened = async {
                let session = session::open(&self.common).await?;
                let (image, made) = self.shipment.resolve(&session.config)?;
                Ok::<_, Failure>((session, image, made))
            };
            let (session, image, made) = match opened.await {
                Ok(opened) => opened,
                Err((ending, message)) => return output::refuse(format, ending, &message),
            };
            let caller = session::caller(self.force);
            let Session { config, net, cloud } = &session;
            let engine = engine::Session { net, cloud, config, caller, stop };
            let told = session::tell(format, &session, async |tell| {
                engine.deploy(image, made, tell).await
            });
            told.await.0
        })
    }
}

impl Shipment {
    /// The reference, and the image behind it if it is made here.
    pub(super) fn resolve(
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
        let made = image::assemble(assembly, &config.directory)
            .map_err(|error| (Ending::Refused, error.to_string()))?;
        let reference =
            ImageReference { repository: repository.clone(), digest: made.digest().clone() };
        Ok((reference, Some(made)))
    }
}
