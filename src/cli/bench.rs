//! `cutover lab bench`

use std::fmt::Write as _;
use std::ops::Range;

use super::demo::DemoStrategy;
use super::swarm::seeds;
use super::{Format, output};
use crate::rehearse::bench::{self, BenchResult};
use cutover_rollout::model::Failure;

/// Measure how many rollouts per second run in the lab, and where the time goes.
///
/// Runs the demo's rollout of a good version to four instances once per seed, one after another in a
/// single thread. The AWS SDK's real calls go to the lab through the in-process transport, in simulated
/// time.
#[derive(Debug, clap::Args)]
pub(super) struct Bench {
    /// The deployment strategy.
    #[arg(long, value_enum, default_value_t = DemoStrategy::BlueGreen)]
    strategy: DemoStrategy,
    /// The seeds: one, such as 17, or a range that excludes its end.
    #[arg(long, value_name = "A..B", value_parser = seeds, default_value = "0..20")]
    seeds: Range<u64>,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

impl Bench {
    pub(super) fn run(self) -> u8 {
        match bench::bench(self.strategy.into(), self.seeds) {
            Ok(measured) => {
                output::print(&match self.format {
                    Format::Json => serde_json::to_string(&measured).unwrap_or_default(),
                    Format::Human | Format::Actions => table(&measured),
                });
                0
            }
            Err(error) => output::report_error(self.format, Failure::failed(error.to_string())),
        }
    }
}

fn table(measured: &BenchResult) -> String {
    let BenchResult { rollouts, elapsed_seconds, core_seconds, simulated_seconds, shares, .. } =
        measured;
    let calls = measured.calls_each();
    let ms = 1000.0 * core_seconds / *rollouts as f64;
    let endings: Vec<String> =
        measured.endings.iter().map(|(ending, count)| format!("{count} {ending}")).collect();
    let mut text = format!(
        "{rollouts} rollouts ({endings}): {rate:.1} per second of one core\n\
         {ms:.1} ms and {calls:.0} AWS API calls each, {us:.0} µs per call; {times:.0} times as fast as real time\n\
         {core_seconds:.2} s of CPU time in {elapsed_seconds:.2} s; history {history}\n\n\
         Where the time goes\n",
        rate = measured.rate(),
        endings = endings.join(", "),
        us = 1000.0 * ms / calls,
        times = simulated_seconds / core_seconds,
        history = measured.history,
    );
    for (what, share) in
        [("AWS SDK", shares.sdk), ("cutover", shares.deployer), ("lab and timers", shares.lab)]
    {
        let _ = writeln!(text, "  {:>5.1}%  {:>6.2} ms  {what}", share * 100.0, share * ms);
    }
    text += "\nCalls per rollout\n";
    let mut calls: Vec<_> = measured.calls.iter().collect();
    calls.sort_by(|a, b| b.1.total_cmp(a.1).then(a.0.cmp(b.0)));
    for (name, count) in calls {
        let _ = writeln!(text, "  {count:>7.1}  {name}");
    }
    text
}
