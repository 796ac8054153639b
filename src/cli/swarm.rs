//! `cutover lab swarm`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZero;
use std::ops::Range;

use super::output;
use crate::model::Ending;
use crate::rehearse::swarm::{self, Tally, Verdict};
use crate::report::{Human, Look};

/// Try to break the deployer's promises in the lab.
///
/// Each seed draws a fleet, a strategy, what goes wrong, and one to three runs that are killed,
/// interrupted or overtaken. At every event of the lab the promises are held against its truth. The
/// same seed tells the same story.
#[derive(Debug, clap::Args)]
pub(super) struct Swarm {
    /// Which seeds: one, or a range without its end. One alone is told in full.
    #[arg(long, value_name = "A..B", value_parser = seeds, default_value = "0..100")]
    seeds: Range<u64>,
    /// How many at once; as many as there are cores if absent.
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
    range.ok_or_else(|| "write one seed, as 17, or a range without its end, as 0..200".to_owned())
}

impl Swarm {
    pub(super) fn run(self) -> u8 {
        let alone = self.seeds.end - self.seeds.start == 1;
        let cores = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let told = swarm::swarm(self.seeds, self.jobs.unwrap_or(cores), &mut |verdict| {
            if alone {
                output::print(&in_full(verdict));
            } else if !verdict.violations().is_empty() {
                output::print(&failure(verdict));
            }
        });
        match told {
            Ok(tally) => {
                output::print(&summary(&tally));
                u8::from(tally.violated > 0)
            }
            Err(failed) => {
                let (seed, error) = *failed;
                let message = format!("seed {seed} could not be told: {error}");
                output::refuse(super::Format::Human, Ending::Failed, &message)
            }
        }
    }
}

/// What did not hold, and one line to see it again.
fn failure(verdict: &Verdict) -> String {
    let mut text = String::new();
    for violation in verdict.violations() {
        let _ = writeln!(text, "{} {}: {}", violation.at, violation.promise, violation.what);
    }
    let _ = write!(text, "  again: cutover lab swarm --seeds {}", verdict.story.seed);
    text
}

/// A story from its beginning to its end.
fn in_full(verdict: &Verdict) -> String {
    let story = &verdict.story;
    let mut text = format!("{}\n", story.configuration);
    if let Ok(scenario) = serde_json::to_string_pretty(story) {
        let _ = writeln!(text, "{scenario}");
    }
    let mut reporters = BTreeMap::new();
    for (run, stamped) in &verdict.played.told {
        let human = reporters.entry(run).or_insert_with(|| Human::new(Look::PLAIN));
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
        "{} seeds, {} of them broke a promise; {} hours and {} calls in the lab; runs: {}",
        tally.seeds,
        tally.violated,
        tally.hours,
        tally.calls,
        runs.join(", ")
    )
}
