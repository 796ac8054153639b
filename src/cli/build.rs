//! `cutover build`

use oci_spec::distribution::Reference;

use super::CommonArgs;
use super::environment;
use super::push_args::BuildArgs;
use super::session::{self, Reporting};
use super::signals::{self, Hangup};
use crate::build::ImageBuilder;
use crate::publish::{ImageSource, RegistryAccess};
use cutover_net::{Clock, Net};
use cutover_rollout::model::{Event, Failure, ImageReference, Outcome, Status, TimedEvent};

/// Build the image that `image:` describes, without pushing it.
#[derive(Debug, clap::Args)]
pub(super) struct Build {
    #[command(flatten)]
    common: CommonArgs,
    /// The image's name in the container engine, as NAME or NAME:TAG.
    #[arg(long, value_name = "NAME")]
    tag: Option<String>,
    #[command(flatten)]
    how: BuildArgs,
}

impl Build {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let clock = Clock::system();
            let now = || clock.now();
            let goal = Status::Succeeded;
            let reporting = Reporting { format, goal, now: &now, stop: &stop, rollout: None };
            let reported = reporting.run(async |emit| {
                let mut emit = |event: Event| emit(TimedEvent { time: now(), event });
                let built = stop.unless_stopped(Box::pin(self.build(&mut emit)));
                match built.await.unwrap_or_else(session::stopped) {
                    Ok(message) => Outcome::new(Status::Succeeded, message),
                    Err(failure) => failure.into(),
                }
            });
            reported.await.0
        })
    }

    async fn build(&self, emit: &mut dyn FnMut(Event)) -> Result<String, Failure> {
        let config = session::configuration(&self.common)?;
        let tag = self.tag.as_deref();
        if let (Some(tag), None) = (tag, &config.image.build) {
            return Err(Failure::refused(format!(
                "--tag {tag}: an image assembled from `image.files` is not in a container engine; use \
                 `cutover push --tag TAG` to tag it in the registries"
            )));
        }
        if let Some(tag) = tag
            && let Err(error) = tag.parse::<Reference>()
        {
            let message = format!("--tag {tag}: {error}: use NAME or NAME:TAG");
            return Err(Failure::refused(message));
        }
        let net = Net::real().map_err(|error| Failure::failed(error.to_string()))?;
        let in_ecr = |base: &ImageReference| base.repository.ecr().is_some();
        let base = config.image.assembly.as_ref().and_then(|assembly| assembly.base.as_ref());
        let cloud = match base.is_some_and(in_ecr) {
            true => Some(session::connect(&net, &config).await?),
            false => None,
        };
        let logins = environment::caller(false).logins;
        let builder = ImageBuilder {
            config: &config,
            access: RegistryAccess { net: &net, cloud: cloud.as_ref(), logins: &logins },
            variable: environment::variable,
            no_cache: self.how.no_cache,
        };
        Ok(match builder.make(tag, emit).await? {
            ImageSource::Engine(_, image) => {
                format!("the image is {} in the container engine", image.id)
            }
            ImageSource::Assembled(image) => {
                format!("the image is {}; `cutover push` pushes it", image.digest())
            }
        })
    }
}
