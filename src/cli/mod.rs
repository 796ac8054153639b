//! The command line, one file per command. Events and results go to standard output; an error that
//! prevents a command from starting goes to standard error.

mod action;
mod adopt;
#[cfg(feature = "swarm")]
mod bench;
mod build;
#[cfg(feature = "demo")]
mod demo;
mod deploy;
mod environment;
mod event_writer;
mod github_repository;
mod iam;
mod init;
#[cfg(feature = "demo")]
mod lab;
mod layer_bars;
mod output;
mod plan;
mod push;
mod push_args;
mod reference;
mod resume_hint;
mod rollback;
mod runner_files;
mod session;
mod signals;
mod status;
mod step;
mod step_settings;
#[cfg(feature = "swarm")]
mod swarm;
mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Deploys container images to EC2 Auto Scaling groups: pushes the image, pins its digest in a launch
/// template version, replaces instances, shifts ALB traffic in steps, and rolls back if the new version
/// is worse.
#[derive(Debug, Parser)]
#[command(name = "cutover", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

// The help texts are the doc comments of the arguments. A doc comment here would hide their second paragraphs.
#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "demo")]
    Demo(demo::Demo),
    /// Run the lab, a simulated AWS account.
    #[cfg(feature = "demo")]
    #[command(subcommand)]
    Lab(lab::Lab),
    Init(init::Init),
    Adopt(adopt::Adopt),
    Verify(verify::Verify),
    Plan(plan::Plan),
    Build(build::Build),
    Push(push::Push),
    Deploy(deploy::Deploy),
    Rollback(rollback::Rollback),
    Status(status::Status),
    Iam(iam::Iam),
    #[command(hide = true)]
    Action(action::Action),
    Completions(reference::Completions),
    #[command(hide = true)]
    Man(reference::Man),
}

/// The default path of the configuration file.
const DEFAULT_CONFIG_PATH: &str = "cutover.yaml";

/// The options of every command that works on an account.
#[derive(Debug, Args)]
struct CommonArgs {
    /// The configuration file.
    #[arg(long, short, default_value = DEFAULT_CONFIG_PATH, value_name = "FILE")]
    config: PathBuf,
    /// The ARN of the IAM role to assume, instead of `role` in the configuration file.
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people.
    Human,
    /// JSON, one event per line.
    Json,
    /// GitHub Actions: a grouped log, annotations, outputs and a job summary.
    Actions,
}

/// Runs the command and returns the exit code of the process.
pub fn run(cli: Cli) -> u8 {
    match cli.command {
        #[cfg(feature = "demo")]
        Command::Demo(verb) => verb.run(),
        #[cfg(feature = "demo")]
        Command::Lab(verb) => verb.run(),
        Command::Init(verb) => verb.run(),
        Command::Adopt(verb) => verb.run(),
        Command::Verify(verb) => verb.run(),
        Command::Plan(verb) => verb.run(),
        Command::Build(verb) => verb.run(),
        Command::Push(verb) => verb.run(),
        Command::Deploy(verb) => verb.run(),
        Command::Rollback(verb) => verb.run(),
        Command::Status(verb) => verb.run(),
        Command::Iam(verb) => verb.run(),
        Command::Action(verb) => verb.run(),
        Command::Completions(verb) => verb.run(),
        Command::Man(verb) => verb.run(),
    }
}
