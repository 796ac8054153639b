//! One run of the tool in the lab: a process with a door, a clock and a configuration of its own.

use std::collections::BTreeMap;

use cutover_lab::doors::InProcess;
use jiff::SignedDuration;
use tokio::sync::watch;

use super::demo::Unrehearsed;
use super::{lab, site};
use crate::cloud::Cloud;
use crate::config::Config;
use crate::engine::{Caller, Made, Session, Stop};
use crate::image::{Image, assemble_entries};
use crate::model::{ImageReference, Outcome, Stamped};
use crate::publish::Logins;

/// What a process is started for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// `cutover deploy` of the example's site, with these labels: they say how its program behaves.
    Deploy(BTreeMap<String, String>),
    /// `cutover rollback`.
    Rollback,
}

/// A process before it starts.
#[derive(Debug)]
pub(super) struct Process<'a> {
    /// Who it says it is.
    pub holder: String,
    /// Its `cutover.yaml`.
    pub config: &'a Config,
    /// What it is to do.
    pub verb: Verb,
    /// How far its machine's clock is off.
    pub skew: SignedDuration,
    /// Counts the requests that it has sent.
    pub sent: watch::Sender<u64>,
}

impl Process<'_> {
    /// Runs to its end, telling what happens. Dropping the future is its death: nothing runs on the
    /// way out, and what has been sent is on its way.
    ///
    /// # Errors
    /// Where it could not begin: the lab refused its credentials, or did not answer.
    pub(super) async fn run(
        &self,
        door: &InProcess,
        stop: Stop,
        tell: &mut dyn FnMut(Stamped),
    ) -> Result<Outcome, Unrehearsed> {
        let mut net = lab::counting(door, &self.sent);
        net.clock = net.clock.shifted(self.skew);
        let cloud = Cloud::connect(&net, &lab::settings(self.config)).await?;
        let caller = Caller {
            holder: self.holder.clone(),
            workflow: None,
            commit: None,
            force: false,
            logins: Logins::default(),
        };
        let session = Session { net: &net, cloud: &cloud, config: self.config, caller, stop };
        Ok(match &self.verb {
            Verb::Deploy(labels) => {
                let (reference, image) = self.image(labels)?;
                session.deploy(reference, Made::Assembled(Box::new(image)), tell).await
            }
            Verb::Rollback => session.rollback(tell).await,
        })
    }

    fn image(
        &self,
        labels: &BTreeMap<String, String>,
    ) -> Result<(ImageReference, Image), Unrehearsed> {
        let (repository, assembly) = self.config.assembly()?;
        let mut assembly = assembly.clone();
        assembly.files.clear();
        assembly.labels.extend(labels.clone());
        let image = assemble_entries(&site::entries(), &assembly)?;
        let reference =
            ImageReference { repository: repository.clone(), digest: image.digest().clone() };
        Ok((reference, image))
    }
}
