//! A rollout of a small news site in an in-process lab. Tokio's time is paused: it jumps ahead
//! whenever all tasks wait, so that half an hour takes a moment, and the same seed runs the same
//! way. Nothing touches a socket, a file or the machine's clock.

use std::collections::BTreeMap;

use cutover_lab::scenario::Scenario;
use cutover_lab::transport::InProcess;
use cutover_lab::world::World;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::process::{Process, ProcessCommand};
use super::simulation_error::SimulationError;
use crate::runner::Stop;
use cutover_config::Config;
use cutover_rollout::model::{Outcome, Requests, TimedEvent};

/// Which rollout to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Two groups, in steps.
    Canary,
    /// Two groups, all traffic at once.
    BlueGreen,
    /// One group, instances replaced in place.
    Rolling,
}

/// The lab's clock at the start: a Monday morning in Seoul.
pub(super) const START: &str = "2026-01-05T00:00:00Z";

/// The example's own configuration and its two variants.
pub(super) const CANARY: &str = include_str!("../../examples/news/cutover.yaml");
pub(super) const BLUE_GREEN: &str = include_str!("blue-green.yaml");
pub(super) const ROLLING: &str = include_str!("rolling.yaml");

/// The error rate of a bad version: high enough to hurt, too low for health checks to notice.
pub(super) const BAD: &str = "0.2";

/// Runs the rollout and reports its events by the lab's clock; returns the outcome and its time.
///
/// # Errors
/// Only if the demo itself is broken.
pub fn demo(
    shape: Shape,
    bad: bool,
    seed: u64,
    emit: &mut dyn FnMut(TimedEvent),
) -> Result<(Timestamp, Outcome), SimulationError> {
    let stage = stage(shape, seed)?;
    paused()?.block_on(rehearse(stage, bad, emit))
}

/// Returns a runtime with paused time.
pub(super) fn paused() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()
}

/// The configuration and the world of a simulated rollout.
pub(super) struct DemoSetup {
    pub config: Config,
    pub world: World,
}

/// Builds the configuration and the world before the rollout.
pub(super) fn stage(shape: Shape, seed: u64) -> Result<DemoSetup, SimulationError> {
    let (text, scenario) = match shape {
        Shape::Canary => (CANARY, Scenario::default()),
        Shape::BlueGreen => (BLUE_GREEN, Scenario::default()),
        Shape::Rolling => (ROLLING, Scenario::one_group()),
    };
    let config = cutover_config::parse(text, "cutover.yaml")?;
    let start: Timestamp = START.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let world = World::from_scenario(&scenario, seed, start)
        .map_err(|error| SimulationError::Lab(error.to_string()))?;
    Ok(DemoSetup { config, world })
}

/// Returns the process that rolls out.
pub(super) fn process(config: &Config, bad: bool) -> Process<'_> {
    let mut labels = BTreeMap::new();
    if bad {
        labels.insert("lab.error-rate".to_owned(), BAD.to_owned());
    }
    Process {
        holder: "the demo".to_owned(),
        config,
        verb: ProcessCommand::Deploy(labels),
        skew: SignedDuration::ZERO,
        sent: watch::Sender::default(),
    }
}

async fn rehearse(
    DemoSetup { config, world }: DemoSetup,
    bad: bool,
    emit: &mut dyn FnMut(TimedEvent),
) -> Result<(Timestamp, Outcome), SimulationError> {
    let start = world.now;
    let transport = InProcess::new(world);
    let before = requests(&transport);
    let (_, stop) = Stop::pair();
    let mut outcome = process(&config, bad).run(&transport, stop, emit).await?;
    let after = requests(&transport);
    for (version, now) in after {
        let then = before.get(&version).copied().unwrap_or_default();
        let during =
            Requests { served: now.served - then.served, failed: now.failed - then.failed };
        let total = outcome.requests.get_or_insert_default();
        total.served += during.served;
        total.failed += during.failed;
        outcome.requests_by_version.insert(version, during);
    }
    let now = transport.now();
    outcome.simulated_seconds = u64::try_from(now.duration_since(start).as_secs()).ok();
    Ok((now, outcome))
}

/// Returns the requests of simulated users so far, by version.
fn requests(transport: &InProcess) -> BTreeMap<String, Requests> {
    transport.world(|world| {
        let totals = world.traffic.totals().iter();
        totals
            .map(|(version, tally)| {
                (version.clone(), Requests { served: tally.served, failed: tally.failed })
            })
            .collect()
    })
}
