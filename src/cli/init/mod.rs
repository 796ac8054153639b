//! `cutover init`

mod chosen;
mod summary;
mod write;

use std::path::Path;

use clap::ValueEnum;

use super::Format;
use super::environment::variable;
use super::output;
use super::session::{self, Failure};
use super::signals::{self, Hangup};
use crate::config;
use crate::discovery::{self, Account, Launch, Service, service_name};
use crate::model::Ending;
use crate::net::Net;
use crate::scaffold::{self, File, Surroundings, Workflow};
use summary::Summary;

/// Write cutover.yaml and a workflow for a service that runs already.
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// An Auto Scaling group of the service. Given twice: the two groups that take turns.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// The load balancer of the service, by its name or DNS name.
    #[arg(long, value_name = "NAME|DNS")]
    load_balancer: Option<String>,
    /// What to call the service (default: what its groups' names have in common).
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The Region (default: the SDK's, as from AWS_REGION or the profile).
    #[arg(long)]
    region: Option<String>,
    /// The GitHub environment that the workflow deploys to.
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: String,
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

/// Where the workflow goes.
const WORKFLOW: &str = ".github/workflows/deploy.yml";

impl Init {
    pub(super) fn run(self) -> u8 {
        let format = match self.format {
            Shown::Human => Format::Human,
            Shown::Json => Format::Json,
        };
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let made = stop.unless_asked(Box::pin(self.make())).await;
            match made.unwrap_or_else(session::stopped) {
                Ok(summary) => self.deliver(&summary),
                Err((ending, message)) => output::refuse(format, ending, &message),
            }
        })
    }

    /// Finds the service and makes its files.
    async fn make(&self) -> Result<Summary, Failure> {
        if let Some(name) = &self.service {
            config::check_service(name)
                .map_err(|why| (Ending::Refused, format!("--service: {why}")))?;
        }
        let net = Net::real().map_err(|error| (Ending::Failed, error.to_string()))?;
        let cloud = session::connect_in(&net, self.region.clone(), None).await?;
        let failed = |error: crate::cloud::CloudError| {
            (Ending::Failed, format!("{error}\n{}", error.hint()))
        };
        let mut account = discovery::read(&cloud).await.map_err(failed)?;
        let service = self.choose(&account)?;
        let mut gaps = std::mem::take(&mut account.gaps);
        let launch = discovery::look_closer(&cloud, &service, &mut gaps).await.map_err(failed)?;
        account.gaps = gaps;
        self.files(&account, service, launch)
    }

    fn files(
        &self,
        account: &Account,
        service: Service,
        launch: Option<Launch>,
    ) -> Result<Summary, Failure> {
        let name = self.name(&service, launch.as_ref());
        let surroundings =
            Surroundings { name: &name, dockerfile: Path::new("Dockerfile").is_file() };
        let ours = |error: minijinja::Error| (Ending::Failed, format!("{error:#}"));
        let text = scaffold::cutover_yaml(account, &service, launch.as_ref(), surroundings)
            .map_err(ours)?;
        // What is written must be what `verify` reads: a name that YAML takes for something else is a fault of ours.
        let config = config::parse(&text, super::CONFIGURATION)
            .map_err(|error| (Ending::Failed, error.to_string()))?;
        let role = format!("arn:{}:iam::{}:role/deploy-{name}", account.partition, account.account);
        let workflow = scaffold::workflow(&Workflow {
            service: &name,
            environment: &self.environment,
            role: &role,
            builds: config.image.build.is_some(),
            packages: config.image.push.iter().any(|push| push.registry() == "ghcr.io"),
        })
        .map_err(ours)?;
        let files = vec![
            File { path: super::CONFIGURATION.to_owned(), text },
            File { path: WORKFLOW.to_owned(), text: workflow },
        ];
        let unknown = scaffold::unknown(account, &service, launch.as_ref());
        Ok(Summary { name, service, launch, files, unknown, complete: account.gaps.is_empty() })
    }

    fn name(&self, service: &Service, launch: Option<&Launch>) -> String {
        let groups: Vec<&str> = service.groups().iter().map(|group| group.name.as_str()).collect();
        let template = launch.map(|launch| launch.template.name.as_str());
        let balancers = service.load_balancers.iter().map(discovery::name_of);
        let others: Vec<&str> = template.into_iter().chain(balancers).collect();
        self.service.clone().unwrap_or_else(|| service_name(&groups, &others))
    }

    /// Writes or prints the files, and says what was found.
    fn deliver(&self, summary: &Summary) -> u8 {
        let code = if summary.complete { 0 } else { Ending::Failed.exit_code() };
        if self.print {
            output::print(&match self.format {
                Shown::Human => summary.printed(),
                Shown::Json => summary.json(true).to_string(),
            });
            return code;
        }
        let format = match self.format {
            Shown::Human => Format::Human,
            Shown::Json => Format::Json,
        };
        if let Err((ending, message)) = write::all(&summary.files, self.force) {
            return output::refuse(format, ending, &message);
        }
        output::print(&match self.format {
            Shown::Human => summary.text(&|name| variable(name)),
            Shown::Json => summary.json(false).to_string(),
        });
        code
    }
}
