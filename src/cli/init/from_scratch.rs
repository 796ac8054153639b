//! `--from-scratch`: one template of everything that a new service needs.

use std::path::Path;

use serde_json::json;

use super::existing::deploy;
use super::result::InitResult;
use super::{Init, Language, internal_error};
use crate::access;
use crate::cli::environment::variable;
use crate::cli::{DEFAULT_CONFIG_PATH, github_repository};
use crate::iam::{Job, Trust};
use crate::scaffold::stack::{self, GitHub, Network, Stack};
use crate::scaffold::{self, File};
use cutover_aws::Aws;
use cutover_rollout::model::Failure;

/// The options of `--from-scratch`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct FromScratchArgs {
    /// With --from-scratch: the port that the container listens on.
    #[arg(long, value_name = "PORT", default_value_t = 8080, requires = "from_scratch", value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// With --from-scratch: the path of health checks.
    #[arg(long, value_name = "PATH", default_value = "/", requires = "from_scratch")]
    health_path: String,
    /// With --from-scratch: the EC2 instance type.
    #[arg(long, value_name = "TYPE", default_value = "t3.micro", requires = "from_scratch")]
    instance_type: String,
    /// With --from-scratch: the ARN of an ACM certificate, to use HTTPS instead of HTTP.
    #[arg(long, value_name = "ARN", requires = "from_scratch")]
    certificate: Option<String>,
    /// With --from-scratch: an existing VPC instead of a new one.
    #[arg(long, value_name = "VPC", requires_all = ["subnets", "from_scratch"])]
    vpc: Option<String>,
    /// With --vpc: a public subnet; repeat the option for two or more, in at least two Availability Zones.
    #[arg(long = "subnet", value_name = "SUBNET", requires = "vpc")]
    subnets: Vec<String>,
}

impl Init {
    pub(super) async fn scratch(&self, cloud: &Aws) -> Result<InitResult, Failure> {
        let refused = |message: String| Failure::refused(message);
        let identity = cloud.identity();
        let service = self.service.clone().unwrap_or_default();
        let subnets: std::collections::BTreeSet<&String> = self.scratch.subnets.iter().collect();
        if self.scratch.vpc.is_some() && subnets.len() < 2 {
            return Err(refused(
                "--subnet: a load balancer needs subnets in at least two Availability Zones; repeat the option".to_owned(),
            ));
        }
        cutover_config::check_service_name(&service)
            .map_err(|why| refused(format!("--service: {why}")))?;
        let mut open = Vec::new();
        let mut gaps = Vec::new();
        let github = match github_repository::repository(&self.origin, &variable, Path::new(".")) {
            Ok(repository) => {
                let provider = Trust::provider(identity.partition(), &identity.account);
                let role = format!("deploy-{service}");
                let existing = access::existing(cloud, &provider, &role, &mut gaps)
                    .await
                    .map_err(Failure::from)?;
                Some(GitHub {
                    repository,
                    job: Job::Environment(self.environment.clone()),
                    uses: stack::uses(),
                    provider_exists: existing.provider,
                })
            }
            Err(why) if self.origin.repository.is_some() => return Err(refused(why)),
            Err(why) => {
                open.push(format!("the template has no role for GitHub Actions: {why}, then run this again with `--force`"));
                None
            }
        };
        open.extend(gaps.iter().map(ToString::to_string));
        let deploys = github.is_some();
        let stack = Stack {
            repository: service.clone(),
            service,
            region: identity.region.clone(),
            port: self.scratch.port,
            health_path: self.scratch.health_path.clone(),
            instance_type: self.scratch.instance_type.clone(),
            network: match &self.scratch.vpc {
                Some(vpc) => {
                    Network::Existing { vpc: vpc.clone(), subnets: self.scratch.subnets.clone() }
                }
                None => Network::New,
            },
            certificate: self.scratch.certificate.clone(),
            github,
        };
        let unfit = |error: stack::StackError| match &error {
            stack::StackError::Service(_) | stack::StackError::HealthPath(_) => {
                refused(error.to_string())
            }
            stack::StackError::Render(_) | stack::StackError::Hcl(_) => internal_error(&error),
        };
        let template = self.with.file("stack");
        let text = match self.with {
            Language::Cloudformation => stack::cloudformation(&stack),
            Language::Terraform => stack::terraform(&stack),
        };
        let text = text.map_err(unfit)?;
        let dockerfile = Path::new("Dockerfile").is_file();
        let configuration = scaffold::cutover_yaml_from_scratch(
            (identity.partition(), &identity.account),
            &stack,
            dockerfile,
        )
        .map_err(|error| internal_error(&error))?;
        let config = cutover_config::parse(&configuration, DEFAULT_CONFIG_PATH)
            .map_err(|error| Failure::failed(error.to_string()))?;
        let mut files = vec![
            File { path: template.clone(), text },
            File {
                path: scaffold::USER_DATA.to_owned(),
                text: stack::user_data(&stack).map_err(unfit)?,
            },
            File { path: DEFAULT_CONFIG_PATH.to_owned(), text: configuration },
        ];
        if deploys {
            files.push(self.workflow(cloud, &config)?);
        }
        let create = match self.with {
            Language::Cloudformation => format!(
                "aws cloudformation deploy --region {} --stack-name {} --template-file {template} --capabilities CAPABILITY_NAMED_IAM",
                stack.region, stack.service
            ),
            Language::Terraform => {
                "terraform -chdir=deploy init && terraform -chdir=deploy apply".to_owned()
            }
        };
        let facts = [("service", json!(stack.service)), ("strategy", json!("canary"))];
        Ok(InitResult {
            title: String::new(),
            found: Vec::new(),
            facts: facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            files,
            notes: open,
            next: vec![
                (
                    create,
                    "creates everything in about five minutes; costs about $0.07 per hour in Seoul",
                ),
                ("cutover verify".to_owned(), "checks that everything fits together"),
                deploy(&config),
            ],
            complete: gaps.is_empty(),
        })
    }
}
