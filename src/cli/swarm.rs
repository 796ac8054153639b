//! `cutover lab swarm`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZero;
use std::ops::Range;

use super::output;
use crate::rehearse::swarm::{self, Tally, Verdict};
use crate::report::{HumanRenderer, TerminalStyle};
use cutover_rollout::model::Failure;

/// Test cutover's promises in the lab against random faults.
///
/// Each seed draws a test case: groups, a strategy, faults, and one to three runs that are killed,
/// interrupted or superseded. After every event in the lab, checkers compare the promises with the lab's
/// true state. The same seed gives the same test case.
#[derive(Debug, clap::Args)]
pub(super) struct Swarm {
    /// The seeds: one, such as 17, or a range that excludes its end. A single seed prints everything that happened.
    #[arg(long, value_name = "A..B", value_parser = seeds, default_value = "0..100")]
    seeds: Range<u64>,
    /// How many seeds run at once [default: the number of cores].
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
}

pub(super) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| text.parse::<u64>().ok();
    let range = match text.split_once("..") {
        Some((from, to)) => number(from).zip(number(to)).map(|(from, to)| from..to),
        None => number(text).map(|seed| seed..seed.saturating_add(1)),
    };
    let range = range.filter(|range| !range.is_empty());
    range.ok_or_else(|| {
        "write one seed, such as 17, or a range that excludes its end, such as 0..200".to_owned()
    })
}

impl Swarm {
    pub(super) fn run(self) -> u8 {
        let alone = self.seeds.end - self.seeds.start == 1;
        let cores = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let result = swarm::swarm(self.seeds, self.jobs.unwrap_or(cores), &mut |verdict| {
            if alone {
                output::print(&test_case_report(verdict));
            } else if !verdict.violations().is_empty() {
                output::print(&failure(verdict));
            }
        });
        match result {
            Ok(tally) => {
                output::print(&summary(&tally));
                u8::from(tally.violated > 0)
            }
            Err(failed) => {
                let (seed, error) = *failed;
                let message = format!("seed {seed} cannot be run: {error}");
                output::report_error(super::Format::Human, Failure::failed(message))
            }
        }
    }
}

/// Returns the violations, and the command that reproduces them.
fn failure(verdict: &Verdict) -> String {
    let mut text = String::new();
    for violation in verdict.violations() {
        let _ = writeln!(text, "{} {}: {}", violation.at, violation.promise, violation.what);
    }
    let _ = write!(text, "  reproduce: cutover lab swarm --seeds {}", verdict.case.seed);
    text
}

/// Returns a test case from beginning to end.
fn test_case_report(verdict: &Verdict) -> String {
    let case = &verdict.case;
    let mut text = format!("{}\n", case.configuration);
    if let Ok(scenario) = serde_json::to_string_pretty(case) {
        let _ = writeln!(text, "{scenario}");
    }
    let mut reporters = BTreeMap::new();
    for (run, stamped) in &verdict.played.reported {
        let human =
            reporters.entry(run).or_insert_with(|| HumanRenderer::new(TerminalStyle::PLAIN));
        for line in human.render(stamped).iter().flat_map(|lines| lines.lines()) {
            let _ = writeln!(text, "{run}  {line}");
        }
    }
    for (run, end) in &verdict.played.ends {
        let _ = writeln!(text, "{run}: {end:?}");
    }
    let _ = writeln!(text, "history {}", verdict.played.history);
    if !verdict.violations().is_empty() {
        text += &failure(verdict);
    }
    text
}

fn summary(tally: &Tally) -> String {
    let runs: Vec<String> =
        tally.runs.iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!(
        "{} seeds, {} broke a promise; {} simulated hours, {} API calls; runs: {}",
        tally.seeds,
        tally.violated,
        tally.hours,
        tally.calls,
        runs.join(", ")
    )
}
