//! A new stack: everything that cutover needs to deploy a service, as a CloudFormation template or Terraform
//! configuration, and the user data of the first deployment.
//!
//! Both describe the same resources: a network with two public subnets (or an existing one), an Application
//! Load Balancer with a weighted rule and a test rule, two target groups, two Auto Scaling groups, a launch
//! template, an ECR repository, the role of the instances, and the role that GitHub workflows assume.
//! tests/stack.rs creates and deletes both in the lab and compares them.

mod deploy_role;
mod second_group;

use minijinja::context;
use serde::Serialize;

pub use deploy_role::uses;
pub use second_group::{Condition, Forward, HealthCheck, SecondGroup, Tag};

use super::filters::render;
use crate::iam::{Features, Job, Repository};
use deploy_role::DeployRole;

/// The parameters of a stack. Resources are named after the service: `web`, `web-blue`, `deploy-web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// The service: `[a-z0-9-]`, at most [`SERVICE_LIMIT`] characters, without a leading or trailing hyphen.
    pub service: String,
    /// The Region, `ap-northeast-2`.
    pub region: String,
    /// The ECR repository without its registry: `web`, `team/web`.
    pub repository: String,
    /// The port that the program in the container listens on.
    pub port: u16,
    /// The path of health checks, `/healthz`: without a query, and answered with 200.
    pub health_path: String,
    /// The instance type, `t3.micro`. It determines the architecture of the AMI.
    pub instance_type: String,
    /// The network.
    pub network: Network,
    /// The ARN of an ACM certificate, to listen on HTTPS 443; without one, the listener is HTTP 80.
    pub certificate: Option<String>,
    /// The workflow that deploys; `None` without GitHub Actions.
    pub github: Option<GitHub>,
}

/// The network of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// A new VPC.
    New,
    /// An existing VPC.
    Existing {
        /// `vpc-…`
        vpc: String,
        /// Public subnets that assign public IPv4 addresses, `subnet-…`, in at least two Availability Zones.
        subnets: Vec<String>,
    },
}

/// The workflow that deploys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHub {
    /// The GitHub repository.
    pub repository: Repository,
    /// The jobs that may deploy.
    pub job: Job,
    /// The features of its configuration, at first those of a new one.
    pub uses: Features,
    /// Whether the account has GitHub's OIDC provider, of which it can have only one; `None` if that is not known.
    pub provider_exists: Option<bool>,
}

/// The maximum length of the service name: a target group name has at most 32 characters (API model of Elastic Load
/// Balancing), of which `-green` uses six.
pub const SERVICE_LIMIT: usize = 26;

/// The reason why nothing was rendered.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The service name is not valid for load balancers and target groups.
    #[error(
        "`{0}` is not a valid name for a load balancer and target groups: use a-z, 0-9 and inner hyphens, at most \
         {SERVICE_LIMIT} characters, and do not begin with `internal-`"
    )]
    Service(String),
    /// The health check path is invalid.
    #[error(
        "`{0}` is not a valid health check path: begin with `/`, and use letters, digits, `.`, `_`, `~`, `-` and `/`"
    )]
    HealthPath(String),
    /// A template of cutover is invalid.
    #[error("the template cannot be rendered")]
    Render(#[from] minijinja::Error),
    /// A value cannot be expressed in HCL.
    #[error("a value cannot be expressed in HCL")]
    Hcl(#[from] hcl::Error),
}

impl Stack {
    /// Returns the name of the blue group and its target group.
    pub fn blue(&self) -> String {
        format!("{}-blue", self.service)
    }

    /// Returns the name of the green group and its target group.
    pub fn green(&self) -> String {
        format!("{}-green", self.service)
    }

    /// Returns the name of the role that workflows assume.
    pub fn deploy_role(&self) -> String {
        format!("deploy-{}", self.service)
    }

    fn check(&self) -> Result<(), StackError> {
        let service = &self.service;
        let characters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if service.is_empty()
            || service.len() > SERVICE_LIMIT
            || !service.chars().all(characters)
            || service.starts_with('-')
            || service.ends_with('-')
            || service.starts_with("internal-")
        {
            return Err(StackError::Service(service.clone()));
        }
        let path = &self.health_path;
        // The path becomes part of a script that runs as root.
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._~-".contains(c);
        let climbs = path.split('/').any(|part| part == "..");
        if !path.starts_with('/') || !path.chars().all(plain) || climbs {
            return Err(StackError::HealthPath(path.clone()));
        }
        Ok(())
    }
}

/// The values that the templates use.
#[derive(Serialize)]
struct Values<'a> {
    service: &'a str,
    region: &'a str,
    repository: &'a str,
    health_path: &'a str,
    instance_type: &'a str,
    ami_parameter: String,
    /// The user data of version 1.
    placeholder: String,
    /// `None` for a new VPC.
    vpc: Option<&'a str>,
    subnets: &'a [String],
    certificate: Option<&'a str>,
    github: bool,
    create_provider: bool,
    trust: String,
    permissions: String,
}

fn values(stack: &Stack, role: DeployRole) -> Result<Values<'_>, StackError> {
    stack.check()?;
    let (vpc, subnets) = match &stack.network {
        Network::New => (None, [].as_slice()),
        Network::Existing { vpc, subnets } => (Some(vpc.as_str()), subnets.as_slice()),
    };
    let github = stack.github.as_ref();
    Ok(Values {
        service: &stack.service,
        region: &stack.region,
        repository: &stack.repository,
        health_path: &stack.health_path,
        instance_type: &stack.instance_type,
        ami_parameter: ami_parameter(&stack.instance_type),
        placeholder: placeholder(&stack.health_path)?,
        vpc,
        subnets,
        certificate: stack.certificate.as_deref(),
        github: github.is_some(),
        create_provider: github.and_then(|github| github.provider_exists) != Some(true),
        trust: role.trust,
        permissions: role.permissions,
    })
}

/// Returns the CloudFormation template.
///
/// # Errors
/// If AWS would reject a name; see [`StackError`].
pub fn cloudformation(stack: &Stack) -> Result<String, StackError> {
    let values = values(stack, deploy_role::in_cloudformation(stack))?;
    Ok(render("cloudformation.yaml", include_str!("cloudformation.yaml.j2"), values)?)
}

/// Returns the Terraform configuration in one file.
///
/// # Errors
/// See [`cloudformation`].
pub fn terraform(stack: &Stack) -> Result<String, StackError> {
    let values = values(stack, deploy_role::in_terraform(stack)?)?;
    Ok(render("terraform.tf", include_str!("terraform.tf.j2"), values)?)
}

/// Returns the user data for `template.user_data.file`, with cutover's placeholder `{{ image }}`.
///
/// # Errors
/// See [`cloudformation`].
pub fn user_data(stack: &Stack) -> Result<String, StackError> {
    stack.check()?;
    let values = context! { service => &stack.service, port => stack.port };
    Ok(render("user-data.sh", include_str!("user-data.sh.j2"), values)?)
}

/// Returns the user data of version 1: a web server that passes all health checks.
fn placeholder(health_path: &str) -> Result<String, StackError> {
    const ROOT: &str = "/usr/share/nginx/html";
    let file = match health_path {
        "/" => None,
        path if path.ends_with('/') => Some(format!("{ROOT}{path}index.html")),
        path => Some(format!("{ROOT}{path}")),
    };
    let folder = file.as_deref().and_then(|file| file.rsplit_once('/')).map(|(folder, _)| folder);
    let folder = folder.filter(|folder| *folder != ROOT);
    let values = context! { health_file => file.as_deref(), health_folder => folder };
    Ok(render("placeholder.sh", include_str!("placeholder.sh.j2"), values)?)
}

/// Returns the public SSM parameter of the latest Amazon Linux 2023 AMI (user guide: AL2023 on EC2).
fn ami_parameter(instance_type: &str) -> String {
    let processor = if is_graviton(instance_type) { "arm64" } else { "x86_64" };
    format!("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{processor}")
}

/// Returns true if instances of this type have a Graviton processor: a `g` after the generation number, as in `t4g` and
/// `c7gn`, or the first generation, `a1` (user guide: instance type naming conventions).
fn is_graviton(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    let options = family.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let options = options.trim_start_matches(|c: char| c.is_ascii_digit());
    family == "a1" || options.contains('g')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(service: &str, health_path: &str) -> Stack {
        Stack {
            service: service.to_owned(),
            region: "ap-northeast-2".to_owned(),
            repository: service.to_owned(),
            port: 8080,
            health_path: health_path.to_owned(),
            instance_type: "t3.micro".to_owned(),
            network: Network::New,
            certificate: None,
            github: None,
        }
    }

    #[test]
    fn names_that_aws_would_refuse_are_refused() {
        let longest = "a".repeat(SERVICE_LIMIT);
        for service in ["web", "7", "a-b", &longest] {
            assert!(cloudformation(&stack(service, "/")).is_ok(), "{service}");
        }
        let longer = format!("{longest}a");
        for service in ["", "Web", "web_1", "-web", "web-", "internal-web", "뉴스", &longer] {
            let refused = terraform(&stack(service, "/")).unwrap_err();
            assert!(matches!(refused, StackError::Service(_)), "{service}");
        }
        for path in ["", "healthz", "/a?b", "/a b", "/${x}", "/a/../b"] {
            assert!(
                matches!(user_data(&stack("web", path)), Err(StackError::HealthPath(_))),
                "{path}"
            );
        }
    }

    #[test]
    fn the_placeholder_has_a_page_where_it_is_checked() {
        let script = |path: &str| placeholder(path).unwrap();
        assert!(!script("/").contains("echo ok"));
        assert!(script("/healthz").contains("\necho ok >/usr/share/nginx/html/healthz\n"));
        assert!(!script("/healthz").contains("mkdir"));
        let deep = script("/a/b/");
        assert!(deep.contains("\nmkdir --parents /usr/share/nginx/html/a/b\n"), "{deep}");
        assert!(deep.contains("\necho ok >/usr/share/nginx/html/a/b/index.html\n"), "{deep}");
    }

    #[test]
    fn the_user_data_has_one_placeholder() {
        let script = user_data(&stack("web", "/healthz")).unwrap();
        assert_eq!(script.matches("{{").count(), 1, "{script}");
        assert!(script.contains("\nimage={{ image }}\n") && script.contains("--publish 80:8080 "));
    }

    #[test]
    fn arm_processors_get_their_own_image() {
        for instance_type in ["t4g.micro", "c7gn.large", "a1.large", "im4gn.xlarge", "g5g.xlarge"] {
            assert!(is_graviton(instance_type), "{instance_type}");
        }
        for instance_type in
            ["t3.micro", "g5.xlarge", "m7i-flex.large", "c6in.large", "g4dn.xlarge"]
        {
            assert!(!is_graviton(instance_type), "{instance_type}");
        }
    }
}
