//! `cutover iam`

use std::path::PathBuf;

use clap::ValueEnum;

use super::environment::variable;
use super::github_repository::{self, RepositoryArgs};
use super::session;
use super::signals::{self, Hangup};
use super::{DEFAULT_CONFIG_PATH, Format, output};
use crate::access;
use crate::iam::render::{DeployRole, cloudformation, commands, terraform};
use crate::iam::{Gap, Job, Repository, Trust, permissions};
use cutover_aws::{Aws, AwsError};
use cutover_config::Config;
use cutover_rollout::model::{Failure, Status};

/// The default GitHub environment that a workflow deploys to.
const ENVIRONMENT: &str = "production";

/// Print the deploy role's trust and permissions policies, as a script or template that creates the role.
///
/// Changes nothing. Reads the account with your own credentials, not with the role in cutover.yaml, which may
/// not exist yet. If these are denied a read, the output lists it, and the exit code is 1.
#[derive(Debug, clap::Args)]
pub(super) struct Iam {
    /// The configuration file.
    #[arg(long, short, default_value = DEFAULT_CONFIG_PATH, value_name = "FILE")]
    config: PathBuf,
    /// The output format.
    #[arg(long, value_enum, default_value_t = IamFormat::Human)]
    format: IamFormat,
    /// The role's name [default: the name in `role` of cutover.yaml, or deploy-SERVICE].
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    #[command(flatten)]
    origin: RepositoryArgs,
    /// The GitHub environment whose jobs may assume the role [default: production].
    #[arg(long, value_name = "NAME", conflicts_with = "git_ref")]
    environment: Option<String>,
    /// A branch or a full ref whose jobs may assume the role, instead of an environment.
    #[arg(long = "ref", value_name = "REF")]
    git_ref: Option<String>,
}

/// How the role is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum IamFormat {
    /// A shell script that creates the role with the AWS CLI.
    Human,
    /// A JSON object with `role`, `trust` and `permissions`, and `gaps` if a read was denied.
    Json,
    /// A CloudFormation template.
    Cloudformation,
    /// A Terraform file.
    Terraform,
}

impl Iam {
    pub(super) fn run(self) -> u8 {
        let format = match self.format {
            IamFormat::Json => Format::Json,
            IamFormat::Human | IamFormat::Cloudformation | IamFormat::Terraform => Format::Human,
        };
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let read = stop.unless_stopped(Box::pin(self.read()));
            let printed = match read.await.unwrap_or_else(session::stopped) {
                Ok((role, gaps)) => self.print(&role, &gaps),
                Err(failure) => Err(failure),
            };
            match printed {
                Ok(code) => code,
                Err(failure) => output::report_error(format, failure),
            }
        })
    }

    async fn read(&self) -> Result<(DeployRole, Vec<Gap>), Failure> {
        let refused = |message: String| Failure::refused(message);
        let config =
            cutover_config::load(&self.config).map_err(|error| refused(error.to_string()))?;
        let (path, name) = self.role_name(&config).map_err(refused)?;
        self.environment
            .as_deref()
            .map_or(Ok(()), github_repository::check_environment)
            .map_err(refused)?;
        self.git_ref.as_deref().map_or(Ok(()), github_repository::check_ref).map_err(refused)?;
        let folder = &config.directory;
        let repository =
            github_repository::repository(&self.origin, &variable, folder).map_err(refused)?;
        let net = session::network()?;
        let cloud = session::connect_as_caller(&net, &config).await?;
        let read = deploy_role(&cloud, &config, (path, name), repository, self.job());
        read.await.map_err(Failure::from)
    }

    /// Returns the role's path and name: 1 to 64 characters of `[A-Za-z0-9_+=,.@-]` (API model, roleNameType).
    fn role_name(&self, config: &Config) -> Result<(String, String), String> {
        let configured = config.role.as_deref().and_then(path_and_name);
        let given = self.role.clone().map(|name| match &configured {
            Some((path, configured)) if *configured == name => (path.clone(), name),
            _ => ("/".to_owned(), name),
        });
        let (path, name) = given
            .or(configured)
            .unwrap_or_else(|| ("/".to_owned(), format!("deploy-{}", config.service)));
        let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        match (1..=64).contains(&name.len()) && name.chars().all(plain) {
            true => Ok((path, name)),
            false => Err(format!(
                "--role: `{name}` is not a valid role name: use 1 to 64 letters, digits and `_+=,.@-`"
            )),
        }
    }

    fn job(&self) -> Job {
        match &self.git_ref {
            Some(full) if full.starts_with("refs/") => Job::Ref(full.clone()),
            Some(branch) => Job::Ref(format!("refs/heads/{branch}")),
            None => {
                let name = self.environment.as_deref().unwrap_or(ENVIRONMENT);
                Job::Environment(name.to_owned())
            }
        }
    }

    fn print(&self, role: &DeployRole, gaps: &[Gap]) -> Result<u8, Failure> {
        let text = match self.format {
            IamFormat::Json => {
                let mut object = role.json();
                if !gaps.is_empty() {
                    object["gaps"] = serde_json::to_value(gaps).unwrap_or_default();
                }
                format!("{object:#}")
            }
            IamFormat::Human => return Ok(print_and_exit_code(&role_script(role, gaps), gaps)),
            IamFormat::Cloudformation => cloudformation::template(role),
            IamFormat::Terraform => {
                terraform::file(role).map_err(|error| Failure::failed(error.to_string()))?
            }
        };
        let comment =
            if self.format == IamFormat::Json { String::new() } else { gap_comments(gaps) };
        Ok(print_and_exit_code(&format!("{comment}{text}"), gaps))
    }
}

/// Returns the path and the name in a role's ARN.
fn path_and_name(arn: &str) -> Option<(String, String)> {
    let (_, resource) = arn.split_once(":role")?;
    let (path, name) = resource.rsplit_once('/')?;
    Some((format!("{path}/"), name.to_owned()))
}

/// Prints a text and returns the exit code.
fn print_and_exit_code(text: &str, gaps: &[Gap]) -> u8 {
    output::print(text);
    if gaps.is_empty() { 0 } else { Status::Failed.exit_code() }
}

/// Reads what the deploy role of a configuration needs, and what already exists.
///
/// # Errors
/// If AWS cannot be read. A denied read is a gap, not an error.
pub(super) async fn deploy_role(
    cloud: &Aws,
    config: &Config,
    (path, name): (String, String),
    repository: Repository,
    job: Job,
) -> Result<(DeployRole, Vec<Gap>), AwsError> {
    let surveyed = Box::pin(access::survey(cloud, config)).await?;
    let mut gaps = surveyed.gaps;
    let provider = Trust::provider(&surveyed.resources.partition, &surveyed.resources.account);
    let existing = access::existing(cloud, &provider, &name, &mut gaps).await?;
    let role = DeployRole {
        name,
        path,
        service: config.service.clone(),
        region: config.region.clone(),
        trust: Trust { provider, repository, job },
        permissions: permissions(&surveyed.uses, &surveyed.resources),
        provider_exists: existing.provider,
        role_exists: existing.role,
    };
    Ok((role, gaps))
}

/// Returns the shell script that creates the role, as `cutover iam` prints it.
pub(super) fn role_script(role: &DeployRole, gaps: &[Gap]) -> String {
    // An incomplete policy must not replace one that works.
    let refusal = if gaps.is_empty() {
        ""
    } else {
        "echo 'this role is incomplete: see the comments at the top of this script' >&2\nexit 1\n\n"
    };
    format!("{}set -eu\n\n{refusal}{}", gap_comments(gaps), commands::text(role))
}

/// Returns the gaps as `#` comments, which shells, YAML and HCL have in common.
fn gap_comments(gaps: &[Gap]) -> String {
    if gaps.is_empty() {
        return String::new();
    }
    let mut text = "# INCOMPLETE:\n".to_owned();
    for gap in gaps {
        text.push_str(&format!("#   {gap}\n"));
    }
    text.push_str("# Allow these actions, or create what does not exist yet, then run `cutover iam` again.\n\n");
    text
}
