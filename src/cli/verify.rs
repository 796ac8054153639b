//! `cutover verify`

use super::session;
use super::signals::{self, Hangup};
use super::{Common, output};
use crate::engine;
use crate::model::{Ending, Event, Outcome, Stamped};
use crate::publish::Logins;

/// Check that everything in cutover.yaml exists and fits together; change nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    common: Common,
}

impl Verify {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let opened = stop.unless_asked(Box::pin(session::open(&self.common)));
            let session = match opened.await.unwrap_or_else(session::stopped) {
                Ok(session) => session,
                Err((ending, message)) => return output::refuse(format, ending, &message),
            };
            let (cloud, config) = (&session.cloud, &session.config);
            let now = || session.cloud.now();
            let told = session::tell(format, (&now, &stop), async |tell| {
                let checked = Box::pin(async {
                    let mut checked = engine::check(cloud, config, None).await?;
                    if config.image.is_made() {
                        let logins = Logins::of(session::variable);
                        checked.ask_registries((&session.net, cloud), config, &logins).await;
                    }
                    Ok::<_, engine::Unchecked>(checked)
                });
                let checked = match stop.unless_asked(checked).await {
                    Some(Ok(checked)) => checked,
                    Some(Err(error)) => return Outcome::new(Ending::Failed, error.to_string()),
                    None => {
                        return Outcome::new(Ending::Interrupted, "stopped; nothing was changed");
                    }
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
