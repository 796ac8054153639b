//! How many rollouts the lab takes a second, on one core, and what the time goes into.

mod gauge;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use cutover_lab::doors::InProcess;
use sha2::{Digest as _, Sha256};

use super::demo::{self, Shape, Stage, Unrehearsed};
use crate::engine::Stop;
use crate::model::Ending;
use crate::net::Stopwatch;
use gauge::{Gauge, Spans};

/// So many of the seeds are run once more to tell where the time goes: looking costs time itself.
const LOOKED_INTO: u64 = 10;

/// What was measured.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Measured {
    /// Rollouts, one after another.
    pub rollouts: u64,
    /// The seconds that they took by the clock.
    pub elapsed_seconds: f64,
    /// The seconds of one core that they took.
    pub core_seconds: f64,
    /// The lab's seconds that passed in them.
    pub virtual_seconds: f64,
    /// How often they ended how.
    pub endings: BTreeMap<&'static str, u64>,
    /// Calls of a rollout to AWS, on average, by `Service.Operation`.
    pub calls: BTreeMap<&'static str, f64>,
    /// What the time goes into.
    pub shares: Shares,
    /// A fingerprint of all that happened: the same for the same seeds, however fast.
    pub history: String,
}

/// Shares of a rollout's time, summing to 1.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Shares {
    /// The AWS SDK: endpoint, serialising, signing, reading the answer.
    pub sdk: f64,
    /// The deployer itself.
    pub deployer: f64,
    /// The lab, and the runtime's timers.
    pub lab: f64,
}

impl Measured {
    /// Rollouts in a second of one core.
    pub fn rate(&self) -> f64 {
        self.rollouts as f64 / self.core_seconds
    }

    /// Calls of a rollout to AWS.
    pub fn calls_each(&self) -> f64 {
        self.calls.values().sum()
    }
}

/// Runs the demo's rollout of a good version once for each seed, in this thread.
///
/// # Errors
/// Only where the demo itself is broken.
pub fn bench(shape: Shape, seeds: Range<u64>) -> Result<Measured, Unrehearsed> {
    // What is made once in a process is not a rollout's.
    once(shape, seeds.start, &Gauge::default())?;
    let mut endings = BTreeMap::new();
    let mut virtual_time = Duration::ZERO;
    let mut history = Sha256::new();
    let watch = Stopwatch::of_this_thread();
    for seed in seeds.clone() {
        let rollout = once(shape, seed, &Gauge::default())?;
        *endings.entry(rollout.ending.name()).or_default() += 1;
        virtual_time += rollout.passed;
        history.update(&rollout.history);
    }
    let (elapsed, worked) = (watch.elapsed(), watch.worked());
    let (calls, shares) = look_into(shape, seeds.start..seeds.end.min(seeds.start + LOOKED_INTO))?;
    Ok(Measured {
        rollouts: seeds.end - seeds.start,
        elapsed_seconds: elapsed.as_secs_f64(),
        core_seconds: worked.as_secs_f64(),
        virtual_seconds: virtual_time.as_secs_f64(),
        endings,
        calls,
        shares,
        history: history.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
    })
}

fn look_into(
    shape: Shape,
    seeds: Range<u64>,
) -> Result<(BTreeMap<&'static str, f64>, Shares), Unrehearsed> {
    let gauge = Arc::new(Gauge::default());
    let watch = Stopwatch::start();
    tracing::subscriber::with_default(Spans(gauge.clone()), || {
        seeds.clone().try_for_each(|seed| once(shape, seed, &gauge).map(|_| ()))
    })?;
    let all = watch.elapsed().as_secs_f64();
    let (deployer, sdk) = gauge.spent();
    let (deployer, sdk) = (deployer.as_secs_f64() / all, sdk.as_secs_f64() / all);
    let rollouts = (seeds.end - seeds.start) as f64;
    let calls = gauge.calls().into_iter().map(|(name, n)| (name, n as f64 / rollouts)).collect();
    Ok((calls, Shares { sdk, deployer, lab: 1.0 - sdk - deployer }))
}

struct Rollout {
    ending: Ending,
    /// By the lab's time.
    passed: Duration,
    history: String,
}

fn once(shape: Shape, seed: u64, gauge: &Gauge) -> Result<Rollout, Unrehearsed> {
    let Stage { config, world } = demo::stage(shape, seed)?;
    let start = world.now;
    demo::paused()?.block_on(async {
        let door = InProcess::new(world);
        let process = demo::process(&config, false);
        let (_, stop) = Stop::pair();
        let outcome = gauge.deployer(process.run(&door, stop, &mut |_| {})).await?;
        let passed = Duration::try_from(door.now().duration_since(start)).unwrap_or_default();
        let history = door.world(|world| world.history());
        Ok(Rollout { ending: outcome.outcome, passed, history })
    })
}
