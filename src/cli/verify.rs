//! `cutover verify`

use super::session;
use super::{Common, output};
use crate::engine;
use crate::model::{Ending, Event, Outcome, Stamped};

/// Check that everything in cutover.yaml exists and fits together; change nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    common: Common,
}

impl Verify {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        session::block_on(format, async move |_| {
            let session = match session::open(&self.common).await {
                Ok(session) => session,
                Err((ending, message)) => return output::refuse(format, ending, &message),
            };
            let (cloud, config) = (&session.cloud, &session.config);
            let told = session::tell(format, &session, async |tell| {
                let checked = match engine::check(cloud, config, None).await {
                    Ok(checked) => checked,
                    Err(error) => return Outcome::new(Ending::Failed, error.to_string()),
                };
                for finding in &checked.findings {
                    tell(Stamped { time: cloud.now(), event: Event::from(finding.clone()) });
                }
                if checked.passes() {
                    Outcome::new(Ending::Succeeded, "everything is there and fits together")
                } else {
                    Outcome::new(Ending::Refused, "a rollout would be refused; nothing was changed")
                }
            });
            told.await.0
        })
    }
}
