//! `cutover plan`

use super::deploy::Shipment;
use super::environment;
use super::making;
use super::session::{self, Session};
use super::signals::{self, Hangup};
use super::{Common, Format, output};
use crate::engine::{self, Stop};
use crate::model::{Ending, Outcome};

/// Print what `deploy` would do; change nothing.
///
/// What is printed is the very value that `deploy` carries out.
#[derive(Debug, clap::Args)]
pub(super) struct Plan {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    shipment: Shipment,
}

/// A plan as it is printed, and why `deploy` would refuse it, if it would.
struct Planned {
    text: String,
    refusal: Option<Outcome>,
}

impl Plan {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        let start = jiff::Timestamp::now();
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let planned = stop.unless_asked(Box::pin(self.plan(stop.clone())));
            match planned.await.unwrap_or_else(session::stopped) {
                Ok(Planned { text, refusal }) => output::result(format, start, &text, refusal),
                Err((ending, message)) => output::refuse(format, ending, &message),
            }
        })
    }

    async fn plan(&self, stop: Stop) -> Result<Planned, session::Failure> {
        let session = session::open(&self.common).await?;
        let known = self.shipment.resolve(&session).await?;
        let image = known.as_ref().map(|(image, _)| image);
        let Session { config, net, cloud } = &session;
        let engine =
            engine::Session { net, cloud, config, caller: environment::caller(false), stop };
        let mut reporter = output::reporter(self.common.format, Ending::Succeeded);
        let made = known.as_ref().is_none_or(|(_, made)| made.is_ours());
        let looked = engine.look(image, made, &mut |event| reporter.tell(&event)).await;
        let checked = looked.map_err(|outcome| (outcome.outcome, outcome.advised()))?;
        let mut target =
            checked.target(config).map_err(|error| (Ending::Refused, error.to_string()))?;
        let mut plan = serde_json::to_value(&target.plan)
            .map_err(|error| (Ending::Failed, error.to_string()))?;
        if let Some(members) = plan.as_object_mut() {
            let to_be_built = || "is built first".to_owned();
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
                .map_err(|error| (Ending::Failed, error.to_string()))?,
        };
        let refusal = match &known {
            Some((image, made)) => {
                engine.refusal(&checked, &mut target, image, made.is_ours()).await
            }
            None => engine.obstacle(&checked, &mut target).await,
        };
        let refused = |message: &str| {
            Outcome::new(Ending::Refused, format!("deploy would refuse this: {message}"))
        };
        let refusal = match refusal {
            Some(Outcome { message, hint, .. }) => Some(Outcome { hint, ..refused(&message) }),
            None if known.is_none() => match making::is_possible(config, engine.reader()).await {
                Err((ending, why)) => Some(Outcome { outcome: ending, ..refused(&why) }),
                Ok(()) => None,
            },
            None => None,
        };
        Ok(Planned { text, refusal })
    }
}
