//! `cutover action`: what the GitHub Action runs. The step's inputs are the environment variables `INPUT_…`;
//! no shell ever interprets them.

mod inputs;
mod post;

use clap::Parser as _;

use super::environment::variable;
use super::{Cli, Format, output};
use cutover_rollout::model::Failure;
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
        request_sighup_on_launcher_exit();
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
            Err(error) => refuse(&inputs::as_input_error(&error)),
        }
    }
}

/// Asks the kernel to send SIGHUP when the launcher dies. A runner that runs out of patience kills only the
/// launcher (actions/runner, `ProcessInvoker.cs`). The rollout would continue without a log until the end of the
/// job kills the process at any moment.
fn request_sighup_on_launcher_exit() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        // If this fails, the end of the job kills the process, and the next run resumes.
        let _ = set_parent_process_death_signal(Some(Signal::HUP));
    }
}

fn refuse(message: &str) -> u8 {
    output::report_error(Format::Actions, Failure::refused(message))
}
