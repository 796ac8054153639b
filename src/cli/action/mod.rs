//! `cutover action`: what the packaged GitHub Action runs. The step's inputs come by the environment, as
//! `INPUT_…`; no shell ever interprets them.

mod inputs;
mod post;

use clap::Parser as _;

use super::environment::variable;
use super::{Cli, Format, output};
use crate::model::Ending;
use inputs::Inputs;

/// Run one step of the GitHub Action from its inputs.
#[derive(Debug, clap::Args)]
pub(super) struct Action {
    /// Run the post step: report an unfinished rollout, and roll back if `on-cancel` says so.
    #[arg(long)]
    post: bool,
}

impl Action {
    pub(super) fn run(self) -> u8 {
        hang_up_with_the_launcher();
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let read =
            Inputs::read(names, &variable).and_then(|inputs| Ok((inputs.arguments()?, inputs)));
        let (arguments, inputs) = match read {
            Ok(read) => read,
            Err(error) => return refuse(&error),
        };
        if self.post {
            return post::run(&inputs);
        }
        match Cli::try_parse_from(&arguments) {
            Ok(cli) => super::run(cli),
            Err(error) => refuse(&inputs::spelled_as_input(&error)),
        }
    }
}

/// Lets the kernel send SIGHUP when the launcher is gone. A runner that loses patience kills the launcher
/// alone (actions/runner, `ProcessInvoker.cs`): the rollout would go on, with nobody to read its log, until
/// the job ends and takes the process with it at any moment.
fn hang_up_with_the_launcher() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        // Without it the job's end is waited for, which the next run copes with.
        let _ = set_parent_process_death_signal(Some(Signal::HUP));
    }
}

fn refuse(message: &str) -> u8 {
    output::refuse(Format::Actions, Ending::Refused, message)
}
