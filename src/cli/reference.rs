//! Shell completions and manual pages, generated from the command line's definition.

use std::io::{Write as _, stdout};
use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Format, output};
use cutover_rollout::model::Failure;

/// Print a shell completion script.
///
/// For example, in bash: `source <(cutover completions bash)`.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> u8 {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "cutover", &mut script);
        match stdout().write_all(&script) {
            Ok(()) => 0,
            Err(error) => output::report_error(Format::Human, Failure::failed(error.to_string())),
        }
    }
}

/// Write the manual pages to a directory.
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The directory; created if it does not exist.
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> u8 {
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.folder));
        match written {
            Ok(()) => 0,
            Err(error) => {
                let message = format!("{}: {error}", self.folder.display());
                output::report_error(Format::Human, Failure::failed(message))
            }
        }
    }
}
