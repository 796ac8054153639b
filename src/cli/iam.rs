//! `cutover iam`

use std::path::PathBuf;

use clap::ValueEnum;

use super::environment::variable;
use super::origin::{self, OriginArgs};
use super::session::{self, Failure};
use super::signals::{self, Hangup};
use super::{CONFIGURATION, Format, output};
use crate::access;
use crate::cloud::{Cloud, CloudError};
use crate::config::{self, Config};
use crate::iam::render::{DeployRole, cloudformation, commands, terraform};
use crate::iam::{Gap, Job, Repository, Trust, permissions};
use crate::model::Ending;

/// The environment that a workflow deploys to, unless told otherwise.
const ENVIRONMENT: &str = "production";

/// Print the deploy role's trust and permission policies, and what creates them; change nothing.
///
/// The account is read with your own credentials, not with the role of cutover.yaml, which may not exist yet. What may not be
/// read is listed, and the exit code is 1 then.
#[derive(Debug, clap::Args)]
pub(super) struct Iam {
    /// The configuration.
    #[arg(long, short, default_value = CONFIGURATION, value_name = "FILE")]
    config: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
    /// The role's name [default: that of `role` in cutover.yaml, or deploy-SERVICE].
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    #[command(flatten)]
    origin: OriginArgs,
    /// The environment whose jobs may deploy [default: production].
    #[arg(long, value_name = "NAME", conflicts_with = "git_ref")]
    environment: Option<String>,
    /// A branch whose jobs may deploy, or a full ref, instead of an environment.
    #[arg(long = "ref", value_name = "REF")]
    git_ref: Option<String>,
}

/// How the role is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Both policies as files, and the AWS CLI commands that create the role: a shell can run it as it is.
    Human,
    /// One object with `role`, `trust` and `permissions`, and `gaps` if there are any.
    Json,
    /// A CloudFormation template.
    Cloudformation,
    /// Terraform.
    Terraform,
}

impl Iam {
    pub(super) fn run(self) -> u8 {
        let format = match self.format {
            Form::Json => Format::Json,
            Form::Human | Form::Cloudformation | Form::Terraform => Format::Human,
        };
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let read = stop.unless_asked(Box::pin(self.read()));
            let printed = match read.await.unwrap_or_else(session::stopped) {
                Ok((role, gaps)) => self.print(&role, &gaps),
                Err(failure) => Err(failure),
            };
            match printed {
                Ok(code) => code,
                Err((ending, message)) => output::refuse(format, ending, &message),
            }
        })
    }

    async fn read(&self) -> Result<(DeployRole, Vec<Gap>), Failure> {
        let refused = |message: String| (Ending::Refused, message);
        let config = config::load(&self.config).map_err(|error| refused(error.to_string()))?;
        let (path, name) = self.role_name(&config).map_err(refused)?;
        self.environment.as_deref().map_or(Ok(()), origin::check_environment).map_err(refused)?;
        self.git_ref.as_deref().map_or(Ok(()), origin::check_ref).map_err(refused)?;
        let folder = &config.directory;
        let repository = origin::repository(&self.origin, &variable, folder).map_err(refused)?;
        let net = session::way_out()?;
        let cloud = session::connect_as_caller(&net, &config).await?;
        let read = deploy_role(&cloud, &config, (path, name), repository, self.job());
        read.await.map_err(|error| session::failed(&error))
    }

    /// The role's path and name: 1 to 64 characters of `[A-Za-z0-9_+=,.@-]` (API model, roleNameType).
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
                "--role: `{name}` cannot be a role's name: use 1 to 64 letters, digits and `_+=,.@-`"
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
            Form::Json => {
                let mut object = role.json();
                if !gaps.is_empty() {
                    object["gaps"] = serde_json::to_value(gaps).unwrap_or_default();
                }
                format!("{object:#}")
            }
            Form::Human => return Ok(printed(&script(role, gaps), gaps)),
            Form::Cloudformation => cloudformation::template(role),
            Form::Terraform => {
                terraform::file(role).map_err(|error| (Ending::Failed, error.to_string()))?
            }
        };
        let comment = if self.format == Form::Json { String::new() } else { listed(gaps) };
        Ok(printed(&format!("{comment}{text}"), gaps))
    }
}

/// The path and the name in a role's ARN.
fn path_and_name(arn: &str) -> Option<(String, String)> {
    let (_, resource) = arn.split_once(":role")?;
    let (path, name) = resource.rsplit_once('/')?;
    Some((format!("{path}/"), name.to_owned()))
}

/// Prints a text, and gives the exit code.
fn printed(text: &str, gaps: &[Gap]) -> u8 {
    output::print(text);
    if gaps.is_empty() { 0 } else { Ending::Failed.exit_code() }
}

/// Reads what the role of a configuration needs, and what of it there is.
///
/// # Errors
/// Where AWS does not answer. A refused read is a gap.
pub(super) async fn deploy_role(
    cloud: &Cloud,
    config: &Config,
    (path, name): (String, String),
    repository: Repository,
    job: Job,
) -> Result<(DeployRole, Vec<Gap>), CloudError> {
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

/// The script that a person runs to create the role: what `cutover iam` prints.
pub(super) fn script(role: &DeployRole, gaps: &[Gap]) -> String {
    // A policy that lacks something must not replace one that works.
    let refusal = if gaps.is_empty() {
        ""
    } else {
        "echo 'this role is incomplete: see the first lines' >&2\nexit 1\n\n"
    };
    format!("{}set -eu\n\n{refusal}{}", listed(gaps), commands::text(role))
}

/// The gaps as comments, which shells, YAML and HCL have in common.
fn listed(gaps: &[Gap]) -> String {
    if gaps.is_empty() {
        return String::new();
    }
    let mut text = "# INCOMPLETE. This could not be read with the credentials in use:\n".to_owned();
    for Gap { action, what } in gaps {
        text.push_str(&format!("#   {action}: {what}\n"));
    }
    text.push_str("# Allow these actions to whoever runs `cutover iam`, or create what does not exist, and run it again.\n\n");
    text
}
