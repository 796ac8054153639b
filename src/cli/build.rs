//! `cutover build`

use oci_spec::distribution::Reference;

use super::Common;
use super::environment;
use super::making::{self, How, Product};
use super::session::{self, Failure, Reporting};
use super::signals::{self, Hangup};
use crate::model::{Ending, Event, ImageReference, Outcome, Stamped};
use crate::net::{Clock, Net};
use crate::publish::Reader;

/// Make the image that `image:` describes, and push nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Build {
    #[command(flatten)]
    common: Common,
    /// What the engine calls the image.
    #[arg(long, value_name = "NAME")]
    tag: Option<String>,
    #[command(flatten)]
    how: How,
}

impl Build {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let clock = Clock::system();
            let now = || clock.now();
            let goal = Ending::Succeeded;
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout: None };
            let told = reporting.run(async |tell| {
                let mut tell = |event: Event| tell(Stamped { time: now(), event });
                let built = stop.unless_asked(Box::pin(self.build(&mut tell)));
                match built.await.unwrap_or_else(session::stopped) {
                    Ok(message) => Outcome::new(Ending::Succeeded, message),
                    Err((ending, message)) => Outcome::new(ending, message),
                }
            });
            told.await.0
        })
    }

    async fn build(&self, tell: &mut dyn FnMut(Event)) -> Result<String, Failure> {
        let config = session::configuration(&self.common)?;
        let tag = self.tag.as_deref();
        if let (Some(tag), None) = (tag, &config.image.build) {
            return Err(making::refused(format!(
                "--tag {tag}: what `image.files` puts together is in no engine that could call it so. \
                 `cutover push --tag TAG` names it in the registries"
            )));
        }
        if let Some(tag) = tag
            && let Err(error) = tag.parse::<Reference>()
        {
            let message = format!("--tag {tag}: {error}: write NAME or NAME:TAG");
            return Err(making::refused(message));
        }
        let net = Net::real().map_err(making::failed)?;
        let in_ecr = |base: &ImageReference| base.repository.ecr().is_some();
        let base = config.image.assembly.as_ref().and_then(|assembly| assembly.base.as_ref());
        let cloud = match base.is_some_and(in_ecr) {
            true => Some(session::connect(&net, &config).await?),
            false => None,
        };
        let logins = environment::caller(false).logins;
        let reader = Reader { net: &net, cloud: cloud.as_ref(), logins: &logins };
        Ok(match making::make(&config, &self.how, tag, reader, tell).await? {
            Product::Stored(_, stored) => format!("the engine has the image {}", stored.id),
            Product::Assembled(image) => {
                format!("the image is {}; `cutover push` brings it into registries", image.digest())
            }
        })
    }
}
