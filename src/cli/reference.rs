//! What is generated from the command line itself: completions and manual pages.

use std::io::{Write as _, stdout};
use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Format, output};
use crate::model::Ending;

/// Print the completion script of a shell.
///
/// For example, for bash: `source <(cutover completions bash)`.
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
            Err(error) => output::refuse(Format::Human, Ending::Failed, &error.to_string()),
        }
    }
}

/// Write the manual pages into a folder.
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The folder; it is created if it does not exist.
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
                output::refuse(Format::Human, Ending::Failed, &message)
            }
        }
    }
}
