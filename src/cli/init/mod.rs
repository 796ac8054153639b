//! `cutover init`

mod chosen;
mod live;
mod result;
mod scratch;
mod second;
mod write;

use clap::ValueEnum;

use super::environment::variable;
use super::origin::{self, OriginArgs};
use super::session::{self, Failure, failed};
use super::signals::{self, Hangup};
use super::{Format, output};
use crate::model::Ending;
use result::Made;

/// Write cutover.yaml, a workflow and its role: for a service that runs already, or from scratch.
///
/// The account is read with your own credentials, and nothing in it is changed. Without an option that says which service,
/// the services are listed. What may not be read is listed, too, and the exit code is 1 then.
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// An Auto Scaling group of the service. Given twice: the two groups that take turns.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// The load balancer of the service, by its name or DNS name.
    #[arg(long, value_name = "NAME|DNS")]
    load_balancer: Option<String>,
    /// What to call the service [default: what the names of its groups have in common].
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The Region [default: that of AWS_REGION or the profile].
    #[arg(long)]
    region: Option<String>,
    /// The GitHub environment that the workflow deploys to.
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: String,
    #[command(flatten)]
    origin: OriginArgs,
    /// Write a template of everything that a service needs, for an account where nothing runs yet. Takes --service.
    #[arg(long, requires = "service", conflicts_with_all = ["groups", "load_balancer", "second_group"])]
    from_scratch: bool,
    #[command(flatten)]
    scratch: scratch::ScratchArgs,
    /// Write a template of a second group beside the one of --group, for canary and blue-green.
    #[arg(long)]
    second_group: bool,
    /// The language of the template that --from-scratch and --second-group write.
    #[arg(long, value_enum, default_value_t = Language::Cloudformation)]
    with: Language,
    /// Overwrite files that exist.
    #[arg(long)]
    force: bool,
    /// Write to standard output instead of files.
    #[arg(long)]
    print: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Shown::Human)]
    format: Shown,
}

/// How to say what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shown {
    /// Text for people.
    Human,
    /// One JSON object.
    Json,
}

/// What describes infrastructure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// A CloudFormation template.
    Cloudformation,
    /// A Terraform file.
    Terraform,
}

impl Language {
    /// A file's name in this language.
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
            Shown::Human => Format::Human,
            Shown::Json => Format::Json,
        };
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let made = stop.unless_asked(Box::pin(self.make())).await;
            let delivered =
                made.unwrap_or_else(session::stopped).and_then(|made| self.deliver(&made));
            match delivered {
                Ok(code) => code,
                Err((ending, message)) => output::refuse(format, ending, &message),
            }
        })
    }

    async fn make(&self) -> Result<Made, Failure> {
        origin::check_environment(&self.environment).map_err(|why| (Ending::Refused, why))?;
        let net = session::way_out()?;
        let cloud = session::connect_in(&net, self.region.clone(), None).await?;
        match (self.from_scratch, self.second_group) {
            (true, _) => self.scratch(&cloud).await,
            (_, true) => self.second_group(&cloud).await,
            _ => self.live(&cloud).await,
        }
    }

    /// Writes or prints the files, and says what was found.
    fn deliver(&self, made: &Made) -> Result<u8, Failure> {
        if !self.print {
            write::all(&made.files, self.force)?;
        }
        output::print(&match (self.format, self.print) {
            (Shown::Json, print) => made.json(print).to_string(),
            (Shown::Human, true) => made.printed(),
            (Shown::Human, false) => made.text(),
        });
        Ok(if made.complete { 0 } else { Ending::Failed.exit_code() })
    }

    /// Whether a workflow runs this: then no next steps for a person are printed.
    fn in_a_job() -> bool {
        variable("GITHUB_ACTIONS").is_some()
    }
}

/// A fault of cutover's own templates.
fn ours(error: &dyn std::error::Error) -> Failure {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    (Ending::Failed, causes.join(": "))
}
