//! The command line: one file a verb. Arguments come in, an exit code goes out; what a verb tells
//! goes to standard output, what went wrong before it could begin to standard error.

mod action;
mod adopt;
mod again;
mod bench;
mod build;
mod demo;
mod deploy;
mod environment;
mod iam;
mod init;
mod lab;
mod making;
mod origin;
mod output;
mod plan;
mod push;
mod reference;
mod rollback;
mod runner;
mod session;
mod settings;
mod signals;
mod status;
mod step;
mod swarm;
mod teller;
mod verify;
mod way;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Ships container images to plain EC2 fleets: pins a launch template version to the image's
/// digest, refreshes an Auto Scaling group, shifts an ALB's traffic, watches, and rolls back if the
/// new version is worse.
#[derive(Debug, Parser)]
#[command(name = "cutover", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Watch a rollout in a simulated cloud: no account, no configuration, no Docker.
    Demo(demo::Demo),
    /// The simulated cloud itself.
    #[command(subcommand)]
    Lab(lab::Lab),
    /// Write cutover.yaml, a workflow and its role: for a service that runs already, or from scratch.
    Init(init::Init),
    /// Pin what runs: groups at $Latest to a number, a tag in the user data to its digest; replace no instance.
    Adopt(adopt::Adopt),
    /// Check that everything in cutover.yaml exists and fits together; change nothing.
    Verify(verify::Verify),
    /// Print what `deploy` would do; change nothing.
    Plan(plan::Plan),
    /// Make the image that `image:` describes, and push nothing.
    Build(build::Build),
    /// Build the image and push it, without rolling anything out.
    Push(push::Push),
    /// Build, push and roll out; resume an unfinished rollout.
    Deploy(deploy::Deploy),
    /// Roll back to the previous version.
    Rollback(rollback::Rollback),
    /// Show the record, weights, health and refresh of the service.
    Status(status::Status),
    /// Print the deploy role's trust and permission policies, and what creates them; change nothing.
    Iam(iam::Iam),
    /// Run one step of the GitHub Action from its inputs.
    #[command(hide = true)]
    Action(action::Action),
    /// Print the completion script of a shell.
    Completions(reference::Completions),
    /// Write the manual pages into a folder.
    #[command(hide = true)]
    Man(reference::Man),
}

/// Where the configuration is, unless told otherwise.
const CONFIGURATION: &str = "cutover.yaml";

/// What every verb against an account takes.
#[derive(Debug, Args)]
struct Common {
    /// The configuration.
    #[arg(long, short, default_value = CONFIGURATION, value_name = "FILE")]
    config: PathBuf,
    /// The ARN of the role to assume, instead of `role` in the configuration.
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// How to tell what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people.
    Human,
    /// One JSON event a line.
    Json,
    /// GitHub Actions: grouped log and annotations, plus outputs and a job summary.
    Actions,
}

/// Runs the command line and gives the process's exit code.
pub fn run(cli: Cli) -> u8 {
    match cli.verb {
        Verb::Demo(verb) => verb.run(),
        Verb::Lab(verb) => verb.run(),
        Verb::Init(verb) => verb.run(),
        Verb::Adopt(verb) => verb.run(),
        Verb::Verify(verb) => verb.run(),
        Verb::Plan(verb) => verb.run(),
        Verb::Build(verb) => verb.run(),
        Verb::Push(verb) => verb.run(),
        Verb::Deploy(verb) => verb.run(),
        Verb::Rollback(verb) => verb.run(),
        Verb::Status(verb) => verb.run(),
        Verb::Iam(verb) => verb.run(),
        Verb::Action(verb) => verb.run(),
        Verb::Completions(verb) => verb.run(),
        Verb::Man(verb) => verb.run(),
    }
}
