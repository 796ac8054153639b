//! A run of cutover in the lab: a process with a sender name, a clock and a configuration of its
//! own.

use std::collections::BTreeMap;

use cutover_lab::transport::InProcess;
use jiff::SignedDuration;
use tokio::sync::watch;

use super::simulation_error::SimulationError;
use super::{lab, site};
use crate::planner::{Caller, Planner};
use crate::publish::{ImageSource, Logins, PushOptions};
use crate::runner::Stop;
use cutover_aws::Aws;
use cutover_config::Config;
use cutover_oci::image::{Image, assemble_entries};
use cutover_rollout::model::{Outcome, TimedEvent};

/// The command that a process runs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    not(feature = "swarm"),
    expect(
        dead_code,
        unreachable_pub,
        reason = "only the swarm rolls back, and shows its test cases"
    )
)]
pub enum ProcessCommand {
    /// `cutover deploy` of the example's site, with these image labels, which control how its
    /// program behaves.
    Deploy(BTreeMap<String, String>),
    /// `cutover rollback`.
    Rollback,
}

/// A process before it starts.
#[derive(Debug)]
pub(super) struct Process<'a> {
    /// The holder that it writes into its records.
    pub holder: String,
    /// Its `cutover.yaml`.
    pub config: &'a Config,
    /// The command that it runs.
    pub verb: ProcessCommand,
    /// How far its machine's clock is off.
    pub skew: SignedDuration,
    /// Counts the requests that it has sent.
    pub sent: watch::Sender<u64>,
}

impl Process<'_> {
    /// Runs to its end and reports its events. Dropping the future kills the process: no cleanup
    /// runs, and requests that have been sent still arrive.
    ///
    /// # Errors
    /// If it could not start: the lab rejected its credentials, or did not answer.
    pub(super) async fn run(
        &self,
        transport: &InProcess,
        stop: Stop,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Result<Outcome, SimulationError> {
        let mut net = lab::counting(transport, &self.sent);
        net.clock = net.clock.shifted(self.skew);
        let cloud = Aws::connect(&net, &lab::settings(self.config)).await?;
        let caller = Caller {
            holder: self.holder.clone(),
            workflow: None,
            commit: None,
            force: false,
            logins: Logins::default(),
        };
        let planner = Planner { net: &net, cloud: &cloud, config: self.config, caller, stop };
        Ok(match &self.verb {
            ProcessCommand::Deploy(labels) => {
                let image = ImageSource::Assembled(Box::new(self.image(labels)?));
                planner.deploy(&PushOptions::default(), async |_| Ok(image), emit).await
            }
            ProcessCommand::Rollback => planner.rollback(emit).await,
        })
    }

    fn image(&self, labels: &BTreeMap<String, String>) -> Result<Image, SimulationError> {
        let (_, assembly) = self.config.assembly()?;
        let mut assembly = assembly.clone();
        assembly.files.clear();
        assembly.labels.extend(labels.clone());
        Ok(assemble_entries(&site::entries(), &assembly)?)
    }
}
