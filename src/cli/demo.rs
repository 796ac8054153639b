//! `cutover demo`

use std::io::{IsTerminal as _, stdout};

use super::{Format, output};
use crate::model::Ending;
use crate::rehearse::{self, Shape};

/// Watch a rollout in a simulated cloud: no account, no configuration, no Docker.
///
/// An in-process lab holds the course's architecture: users, an Application Load Balancer, Auto
/// Scaling groups over two zones. A small news site goes from v1 to v2 under live traffic.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// How.
    #[arg(long, value_enum, default_value_t = Strategy::Canary)]
    strategy: Strategy,
    /// Ship a v2 that answers with errors: it must be taken back.
    #[arg(long)]
    bad: bool,
    /// What chance does: the same seed tells the same story.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How to tell what happens.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Seconds of the lab in each second at a terminal; 0 does not wait.
    #[arg(long, value_name = "SPEED")]
    pace: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Strategy {
    /// Two groups; 10, then 50, then 100 % of the traffic.
    Canary,
    /// Two groups; all traffic at once.
    BlueGreen,
    /// One group; its instances are replaced in batches.
    Rolling,
}

impl From<Strategy> for Shape {
    fn from(strategy: Strategy) -> Shape {
        match strategy {
            Strategy::Canary => Shape::Canary,
            Strategy::BlueGreen => Shape::BlueGreen,
            Strategy::Rolling => Shape::Rolling,
        }
    }
}

/// At a terminal, a quarter of an hour goes by in twenty seconds.
const PACE: f64 = 45.0;

impl Demo {
    pub(super) fn run(self) -> u8 {
        let shape = self.strategy.into();
        let watched = self.format == Format::Human && stdout().is_terminal();
        let pace = self.pace.unwrap_or(if watched { PACE } else { 0.0 });
        if self.format == Format::Human {
            let text = introduction(shape, self.bad);
            let plain = |text: String| text.replace(['└', '├'], "|").replace('─', "-");
            output::print(&if output::look().glyphs { text } else { plain(text) });
        }
        let mut reporter = output::reporter(self.format, Ending::Succeeded);
        let mut pacer = Pacer { pace, last: None };
        let told = rehearse::demo(shape, self.bad, self.seed, &mut |event| {
            pacer.wait_until(event.time);
            reporter.tell(&event);
        });
        match told {
            Ok((time, outcome)) => output::finish(&mut reporter, time, outcome),
            Err(error) => output::refuse(self.format, Ending::Failed, &error.to_string()),
        }
    }
}

/// What there is to see.
fn introduction(shape: Shape, bad: bool) -> String {
    let (fleet, moves) = match shape {
        Shape::Canary => {
            (PAIR, "v2 starts on the idle group, then gets 10, 50 and 100 % of the traffic")
        }
        Shape::BlueGreen => {
            (PAIR, "v2 starts on the idle group, then gets all of the traffic at once")
        }
        Shape::Rolling => (SOLE, "v2 replaces v1 instance by instance, within one group"),
    };
    let quality = if bad {
        ".\n  This v2 answers every fifth request with an error: it has to be taken back"
    } else {
        ""
    };
    format!("{fleet}\n\n  {moves}{quality}.\n")
}

const PAIR: &str = "
  users, 50 requests a second
    └─ Application Load Balancer `news`, two zones
         ├─ 100 %  news-blue   4 instances of v1 (2 to 6)
         └─   0 %  news-green  empty             (0 to 6)";

const SOLE: &str = "
  users, 50 requests a second
    └─ Application Load Balancer `news`, two zones
         └─ 100 %  news  4 instances of v1 (2 to 6)";

/// Lets a person see time go by. The lab's own time stands still meanwhile.
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
