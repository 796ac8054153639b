//! `cutover demo`

use std::io::{IsTerminal as _, stdout};

use super::{Format, output};
use crate::rehearse::{self, Shape};
use cutover_rollout::model::{Failure, Status};

/// Watch a rollout in a simulated AWS account: needs no AWS account, configuration or Docker.
///
/// The lab simulates users, an Application Load Balancer, and Auto Scaling groups in two Availability
/// Zones. A small news site goes from v1 to v2 under live traffic.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// The deployment strategy.
    #[arg(long, value_enum, default_value_t = DemoStrategy::Canary)]
    strategy: DemoStrategy,
    /// Deploy a v2 that answers with errors, which must be rolled back.
    #[arg(long)]
    bad: bool,
    /// The seed of the simulation; the same seed gives the same rollout.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Simulated seconds per real second; 0 does not wait [default: 45 in a terminal, otherwise 0].
    #[arg(long, value_name = "SPEED")]
    pace: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum DemoStrategy {
    /// Two groups; 10%, then 50%, then 100% of the traffic.
    Canary,
    /// Two groups; all traffic at once.
    BlueGreen,
    /// One group; instances are replaced in batches.
    Rolling,
}

impl From<DemoStrategy> for Shape {
    fn from(strategy: DemoStrategy) -> Shape {
        match strategy {
            DemoStrategy::Canary => Shape::Canary,
            DemoStrategy::BlueGreen => Shape::BlueGreen,
            DemoStrategy::Rolling => Shape::Rolling,
        }
    }
}

/// Simulated seconds per real second in a terminal: a rollout of fifteen minutes takes twenty seconds.
const PACE: f64 = 45.0;

impl Demo {
    pub(super) fn run(self) -> u8 {
        let shape = self.strategy.into();
        let watched = self.format == Format::Human && stdout().is_terminal();
        let pace = self.pace.unwrap_or(if watched { PACE } else { 0.0 });
        if self.format == Format::Human {
            let text = introduction(shape, self.bad);
            let plain = |text: String| text.replace(['└', '├'], "|").replace('─', "-");
            output::print(&if output::terminal_style().glyphs { text } else { plain(text) });
        }
        let mut reporter = output::reporter(self.format, Status::Succeeded);
        let mut pacer = Pacer { pace, last: None };
        let result = rehearse::demo(shape, self.bad, self.seed, &mut |event| {
            pacer.wait_until(event.time);
            reporter.emit(&event);
        });
        match result {
            Ok((time, outcome)) => output::finish(&mut reporter, time, outcome),
            Err(error) => output::report_error(self.format, Failure::failed(error.to_string())),
        }
    }
}

/// Returns a picture of the architecture and what the rollout will do.
fn introduction(shape: Shape, bad: bool) -> String {
    let (fleet, moves) = match shape {
        Shape::Canary => {
            (PAIR, "v2 starts on the idle group, then receives 10%, 50% and 100% of the traffic")
        }
        Shape::BlueGreen => {
            (PAIR, "v2 starts on the idle group, then receives all traffic at once")
        }
        Shape::Rolling => (SOLE, "v2 replaces v1 instance by instance, within one group"),
    };
    let quality = if bad {
        ".\n  This v2 answers every fifth request with an error, so it must be rolled back"
    } else {
        ""
    };
    format!("{fleet}\n\n  {moves}{quality}.\n")
}

const PAIR: &str = "
  users, 50 requests per second
    └─ Application Load Balancer `news`, two zones
         ├─ 100%  news-blue   4 instances of v1 (2 to 6)
         └─   0%  news-green  empty             (0 to 6)";

const SOLE: &str = "
  users, 50 requests per second
    └─ Application Load Balancer `news`, two zones
         └─ 100%  news  4 instances of v1 (2 to 6)";

/// Slows the output down for a reader. The simulated clock stands still meanwhile.
struct Pacer {
    pace: f64,
    last: Option<jiff::Timestamp>,
}

impl Pacer {
    fn wait_until(&mut self, time: jiff::Timestamp) {
        let since = self.last.replace(time).map(|last| time.duration_since(last));
        let since = since.and_then(|since| std::time::Duration::try_from(since).ok());
        if let Some(since) = since.filter(|_| self.pace > 0.0) {
            std::thread::sleep(since.div_f64(self.pace));
        }
    }
}
