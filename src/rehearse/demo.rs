//! A rollout of a small news site in a lab in this process. Tokio's time is paused: it jumps ahead
//! whenever everything waits, so that half an hour takes a moment, and the same seed takes the same
//! course. Nothing touches a socket, a file or the machine's clock.

use std::collections::BTreeMap;

use cutover_lab::doors::InProcess;
use cutover_lab::scenario::Scenario;
use cutover_lab::world::World;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::process::{Process, Verb};
use crate::cloud::CloudError;
use crate::config::{self, Config, ConfigError};
use crate::engine::Stop;
use crate::image::AssembleError;
use crate::model::{Outcome, Requests, Stamped};

/// Which rollout to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Two groups, in steps.
    Canary,
    /// Two groups, at once.
    BlueGreen,
    /// One group.
    Rolling,
}

/// Why there was nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum Unrehearsed {
    /// The runtime could not be made.
    #[error("the runtime could not be started: {0}")]
    Runtime(#[from] std::io::Error),
    /// The demo's own configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The demo's own files make no image.
    #[error(transparent)]
    Image(#[from] AssembleError),
    /// The lab refused.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The lab's world could not be built.
    #[error("the lab could not be built: {0}")]
    Lab(String),
}

/// When the lab's clock starts: a Monday morning in Seoul.
pub(super) const START: &str = "2026-01-05T00:00:00Z";

/// The example's own configuration and its two variants.
pub(super) const CANARY: &str = include_str!("../../examples/news/cutover.yaml");
pub(super) const BLUE_GREEN: &str = include_str!("blue-green.yaml");
pub(super) const ROLLING: &str = include_str!("rolling.yaml");

/// The share of errors of a bad version: enough to hurt, too little for a health check to see.
pub(super) const BAD: &str = "0.2";

/// Runs the rollout, telling what happens by the lab's time; gives the outcome and its time.
///
/// # Errors
/// Only where the demo itself is broken.
pub fn demo(
    shape: Shape,
    bad: bool,
    seed: u64,
    tell: &mut dyn FnMut(Stamped),
) -> Result<(Timestamp, Outcome), Unrehearsed> {
    let stage = stage(shape, seed)?;
    paused()?.block_on(rehearse(stage, bad, tell))
}

/// A runtime whose time is paused.
pub(super) fn paused() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()
}

/// What a rollout is shown on.
pub(super) struct Stage {
    pub config: Config,
    pub world: World,
}

/// The stage before the rollout.
pub(super) fn stage(shape: Shape, seed: u64) -> Result<Stage, Unrehearsed> {
    let (text, scenario) = match shape {
        Shape::Canary => (CANARY, Scenario::default()),
        Shape::BlueGreen => (BLUE_GREEN, Scenario::default()),
        Shape::Rolling => (ROLLING, Scenario::one_group()),
    };
    let config = config::parse(text, "cutover.yaml")?;
    let start: Timestamp = START.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let world = World::from_scenario(&scenario, seed, start)
        .map_err(|error| Unrehearsed::Lab(error.to_string()))?;
    Ok(Stage { config, world })
}

/// The process that rolls out.
pub(super) fn process(config: &Config, bad: bool) -> Process<'_> {
    let mut labels = BTreeMap::new();
    if bad {
        labels.insert("lab.error-rate".to_owned(), BAD.to_owned());
    }
    Process {
        holder: "the demo".to_owned(),
        config,
        verb: Verb::Deploy(labels),
        skew: SignedDuration::ZERO,
        sent: watch::Sender::default(),
    }
}

async fn rehearse(
    Stage { config, world }: Stage,
    bad: bool,
    tell: &mut dyn FnMut(Stamped),
) -> Result<(Timestamp, Outcome), Unrehearsed> {
    let start = world.now;
    let door = InProcess::new(world);
    let before = requests(&door);
    let (_, stop) = Stop::pair();
    let mut outcome = process(&config, bad).run(&door, stop, tell).await?;
    let after = requests(&door);
    for (version, now) in after {
        let then = before.get(&version).copied().unwrap_or_default();
        let during =
            Requests { served: now.served - then.served, failed: now.failed - then.failed };
        let total = outcome.requests.get_or_insert_default();
        total.served += during.served;
        total.failed += during.failed;
        outcome.requests_by_version.insert(version, during);
    }
    let now = door.now();
    outcome.virtual_seconds = u64::try_from(now.duration_since(start).as_secs()).ok();
    Ok((now, outcome))
}

/// What simulated users saw so far, by version.
fn requests(door: &InProcess) -> BTreeMap<String, Requests> {
    door.world(|world| {
        let totals = world.traffic.totals().iter();
        totals
            .map(|(version, tally)| {
                (version.clone(), Requests { served: tally.served, failed: tally.failed })
            })
            .collect()
    })
}
