//! Arguments in, exit code out; nothing else.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    ExitCode::from(cutover::cli::run(cutover::cli::Cli::parse()))
}
