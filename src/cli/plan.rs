//! `cutover plan`

use super::deploy::ImageArgs;
use super::environment;
use super::session::{self, AccountContext};
use super::signals::{self, Hangup};
use super::{CommonArgs, Format, output};
use crate::build::ImageBuilder;
use crate::planner::Planner;
use crate::runner::Stop;
use cutover_rollout::model::{Failure, ImageReference, Outcome, Status};

/// Print what `deploy` would do, without changing anything.
///
/// `deploy` carries out exactly the plan that is printed, and `plan` fails if `deploy` would refuse it.
#[derive(Debug, clap::Args)]
pub(super) struct Plan {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    image: ImageArgs,
}

/// A printed plan, and why `deploy` would refuse it, if it would.
struct Planned {
    text: String,
    refusal: Option<Failure>,
}

impl Plan {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        let start = jiff::Timestamp::now();
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let planned = stop.unless_stopped(Box::pin(self.plan(stop.clone())));
            match planned.await.unwrap_or_else(session::stopped) {
                Ok(Planned { text, refusal }) => {
                    output::print_result(format, start, &text, refusal.map(Outcome::from))
                }
                Err(failure) => output::report_error(format, failure),
            }
        })
    }

    async fn plan(&self, stop: Stop) -> Result<Planned, Failure> {
        let session = session::open(&self.common).await?;
        let existing = self.image.existing()?;
        let made = existing.is_none();
        let AccountContext { config, net, cloud } = &session;
        let planner = Planner { net, cloud, config, caller: environment::caller(false), stop };
        let builder = ImageBuilder {
            config,
            access: planner.registries(),
            variable: environment::variable,
            no_cache: false,
        };
        let image = match existing {
            Some(image) => Some(image),
            // Its digest is known only after the build.
            None if config.image.build.is_some() => None,
            None => {
                let (repository, _) =
                    config.assembly().map_err(|error| Failure::refused(error.to_string()))?;
                let digest = builder.assemble().await?.digest().clone();
                Some(ImageReference { repository: repository.clone(), digest })
            }
        };
        let image = image.as_ref();
        let mut reporter = output::reporter(self.common.format, Status::Succeeded);
        let checked =
            planner.check_account(image, made, &mut |event| reporter.emit(&event)).await?;
        let mut target =
            checked.target(config).map_err(|error| Failure::refused(error.to_string()))?;
        let mut plan = serde_json::to_value(&target.plan)
            .map_err(|error| Failure::failed(error.to_string()))?;
        if let Some(members) = plan.as_object_mut() {
            let to_be_built = || "to be built".to_owned();
            let image = image.map_or_else(to_be_built, ToString::to_string);
            members.insert("image".to_owned(), image.into());
            members.insert("previous_version".to_owned(), target.origin.previous.into());
            if let Some(unfinished) = checked.unfinished() {
                members.insert("continues".to_owned(), unfinished.number.into());
            }
        }
        let text = match self.common.format {
            Format::Json => plan.to_string(),
            Format::Human | Format::Actions => serde_saphyr::to_string(&plan)
                .map_err(|error| Failure::failed(error.to_string()))?,
        };
        let ready = match image {
            Some(image) => planner.may_deploy(&checked, &mut target, image, made).await,
            None => match planner.may_build(&checked, &mut target).await {
                Ok(()) => builder.check().await,
                refused => refused,
            },
        };
        let refusal = ready.err().map(|failure| match failure.status {
            Status::Refused => Failure {
                message: format!("`deploy` would refuse this: {}", failure.message),
                ..failure
            },
            _ => failure,
        });
        Ok(Planned { text, refusal })
    }
}
