//! Measures how many rollouts the lab simulates per second on one core, and where the time goes.

mod profile;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use cutover_lab::transport::InProcess;
use sha2::{Digest as _, Sha256};

use super::SimulationError;
use super::demo::{self, DemoSetup, Shape};
use crate::runner::Stop;
use cutover_net::Stopwatch;
use cutover_rollout::model::Status;
use profile::{SpanRecorder, TimeProfile};

/// How many of the seeds are run once more to measure where the time goes: measuring costs time
/// itself.
const PROFILED_SEEDS: u64 = 10;

/// A benchmark's result.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct BenchResult {
    /// How many rollouts were run, one after another.
    pub rollouts: u64,
    /// Their wall-clock time in seconds.
    pub elapsed_seconds: f64,
    /// Their CPU time in seconds.
    pub core_seconds: f64,
    /// The lab's time that passed in them, in seconds.
    pub simulated_seconds: f64,
    /// How many ended with each outcome.
    pub endings: BTreeMap<&'static str, u64>,
    /// Calls to AWS per rollout, on average, by `Service.Operation`.
    pub calls: BTreeMap<&'static str, f64>,
    /// Where the time goes.
    pub shares: Shares,
    /// A fingerprint of everything that happened: the same for the same seeds, whatever the speed.
    pub history: String,
}

/// Shares of a rollout's time; their sum is 1.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Shares {
    /// The AWS SDK: endpoint, serialization, signing, parsing the answer.
    pub sdk: f64,
    /// The deployer itself.
    pub deployer: f64,
    /// The lab, and the runtime's timers.
    pub lab: f64,
}

impl BenchResult {
    /// Returns the rollouts per second of one core.
    pub fn rate(&self) -> f64 {
        self.rollouts as f64 / self.core_seconds
    }

    /// Returns the calls to AWS per rollout.
    pub fn calls_each(&self) -> f64 {
        self.calls.values().sum()
    }
}

/// Runs the demo's rollout of a good version once for each seed, in this thread.
///
/// # Errors
/// Only if the demo itself is broken.
pub fn bench(shape: Shape, seeds: Range<u64>) -> Result<BenchResult, SimulationError> {
    // Warms up what is created once per process.
    once(shape, seeds.start, &TimeProfile::default())?;
    let mut endings = BTreeMap::new();
    let mut virtual_time = Duration::ZERO;
    let mut history = Sha256::new();
    let watch = Stopwatch::of_this_thread();
    for seed in seeds.clone() {
        let rollout = once(shape, seed, &TimeProfile::default())?;
        *endings.entry(rollout.ending.name()).or_default() += 1;
        virtual_time += rollout.passed;
        history.update(&rollout.history);
    }
    let (elapsed, worked) = (watch.elapsed(), watch.worked());
    let (calls, shares) =
        profile_seeds(shape, seeds.start..seeds.end.min(seeds.start + PROFILED_SEEDS))?;
    Ok(BenchResult {
        rollouts: seeds.end - seeds.start,
        elapsed_seconds: elapsed.as_secs_f64(),
        core_seconds: worked.as_secs_f64(),
        simulated_seconds: virtual_time.as_secs_f64(),
        endings,
        calls,
        shares,
        history: history.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
    })
}

fn profile_seeds(
    shape: Shape,
    seeds: Range<u64>,
) -> Result<(BTreeMap<&'static str, f64>, Shares), SimulationError> {
    let gauge = Arc::new(TimeProfile::default());
    let watch = Stopwatch::start();
    tracing::subscriber::with_default(SpanRecorder(gauge.clone()), || {
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
    ending: Status,
    /// By the lab's clock.
    passed: Duration,
    history: String,
}

fn once(shape: Shape, seed: u64, gauge: &TimeProfile) -> Result<Rollout, SimulationError> {
    let DemoSetup { config, world } = demo::stage(shape, seed)?;
    let start = world.now;
    demo::paused()?.block_on(async {
        let transport = InProcess::new(world);
        let process = demo::process(&config, false);
        let (_, stop) = Stop::pair();
        let outcome = gauge.deployer(process.run(&transport, stop, &mut |_| {})).await?;
        let passed = Duration::try_from(transport.now().duration_since(start)).unwrap_or_default();
        let history = transport.world(|world| world.history());
        Ok(Rollout { ending: outcome.outcome, passed, history })
    })
}
