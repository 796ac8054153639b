//! `cutover init`

mod existing;
mod from_scratch;
mod result;
mod second_group;
mod select;
mod write;

use clap::ValueEnum;

use super::environment::variable;
use super::github_repository::{self, RepositoryArgs};
use super::session;
use super::signals::{self, Hangup};
use super::{Format, output};
use cutover_rollout::model::{Failure, Status};
use result::InitResult;

/// Write cutover.yaml, a GitHub Actions workflow and its IAM role, for a running service or from scratch.
///
/// Reads the account with your own credentials and changes nothing in it. Without an option that selects a service,
/// it lists the services. If your credentials are denied a read, the output lists it, and the exit code is 1.
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// An Auto Scaling group of the service; repeat the option for blue and green.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// The load balancer of the service, by name or DNS name.
    #[arg(long, value_name = "NAME|DNS")]
    load_balancer: Option<String>,
    /// The name of the service [default: what the names of its groups have in common].
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The AWS Region [default: from AWS_REGION or the profile].
    #[arg(long)]
    region: Option<String>,
    /// The GitHub environment that the workflow deploys to.
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: String,
    #[command(flatten)]
    origin: RepositoryArgs,
    /// Write a template of everything that a new service needs; requires --service.
    #[arg(long, requires = "service", conflicts_with_all = ["groups", "load_balancer", "second_group"])]
    from_scratch: bool,
    #[command(flatten)]
    scratch: from_scratch::FromScratchArgs,
    /// Write a template that adds a second group to the one in --group, for canary and blue-green.
    #[arg(long)]
    second_group: bool,
    /// The language of the template for --from-scratch and --second-group.
    #[arg(long, value_enum, default_value_t = Language::Cloudformation)]
    with: Language,
    /// Overwrite existing files.
    #[arg(long)]
    force: bool,
    /// Print the files to standard output instead of writing them.
    #[arg(long)]
    print: bool,
    /// The output format.
    #[arg(long, value_enum, default_value_t = InitFormat::Human)]
    format: InitFormat,
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InitFormat {
    /// Text for people.
    Human,
    /// One JSON object.
    Json,
}

/// A language for templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// A CloudFormation template.
    Cloudformation,
    /// A Terraform file.
    Terraform,
}

impl Language {
    /// Returns the path of a template in this language.
    fn file(self, name: &str) -> String {
        match self {
            Language::Cloudformation => format!("deploy/{name}.yaml"),
            Language::Terraform => format!("deploy/{name}.tf"),
        }
    }
}

impl Init {
    pub(super) fn run(self) -> u8 {
        let format = match self.format {
            InitFormat::Human => Format::Human,
            InitFormat::Json => Format::Json,
        };
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let made = stop.unless_stopped(Box::pin(self.generate())).await;
            let delivered =
                made.unwrap_or_else(session::stopped).and_then(|made| self.write_or_print(&made));
            match delivered {
                Ok(code) => code,
                Err(failure) => output::report_error(format, failure),
            }
        })
    }

    async fn generate(&self) -> Result<InitResult, Failure> {
        github_repository::check_environment(&self.environment).map_err(Failure::refused)?;
        let net = session::network()?;
        let cloud = session::connect_in(&net, self.region.clone(), None).await?;
        match (self.from_scratch, self.second_group) {
            (true, _) => self.scratch(&cloud).await,
            (_, true) => self.second_group(&cloud).await,
            _ => self.existing_service(&cloud).await,
        }
    }

    /// Writes or prints the files, and prints what was found.
    fn write_or_print(&self, made: &InitResult) -> Result<u8, Failure> {
        if !self.print {
            write::all(&made.files, self.force)?;
        }
        output::print(&match (self.format, self.print) {
            (InitFormat::Json, print) => made.json(print).to_string(),
            (InitFormat::Human, true) => made.printed(),
            (InitFormat::Human, false) => made.text(),
        });
        Ok(if made.complete { 0 } else { Status::Failed.exit_code() })
    }

    /// Returns whether a workflow runs this. No next steps are printed then.
    fn is_in_workflow() -> bool {
        variable("GITHUB_ACTIONS").is_some()
    }
}

/// Returns the failure for a bug in cutover's own templates.
fn internal_error(error: &dyn std::error::Error) -> Failure {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    Failure::failed(causes.join(": "))
}
