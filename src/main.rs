//! Parses the command line, runs the command, and returns its exit code.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    ExitCode::from(cutover::cli::run(cutover::cli::Cli::parse()))
}
