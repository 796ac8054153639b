//! Describes a running service: `cutover.yaml`, a workflow, and its role.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::result::InitResult;
use super::select::describe_service;
use super::{Init, internal_error};
use crate::cli::environment::variable;
use crate::cli::{DEFAULT_CONFIG_PATH, github_repository, iam};
use crate::discovery::{self, Account, Fleet, Launch, Service, service_name};
use crate::iam::Job;
use crate::publish::is_ghcr;
use crate::scaffold::{self, ConfigInput, File, Workflow};
use cutover_aws::Aws;
use cutover_config::Config;
use cutover_rollout::model::{Color, Failure, RuleId};

/// The path of the workflow.
pub(super) const WORKFLOW: &str = ".github/workflows/deploy.yml";

/// The path of the script that creates the role.
pub(super) const ROLE: &str = "deploy/role.sh";

impl Init {
    pub(super) async fn existing_service(&self, cloud: &Aws) -> Result<InitResult, Failure> {
        if let Some(name) = &self.service {
            cutover_config::check_service_name(name)
                .map_err(|why| Failure::refused(format!("--service: {why}")))?;
        }
        let (account, service, launch) = self.read(cloud).await?;
        let name = self.name(&service, launch.as_ref());
        let surroundings =
            ConfigInput { name: &name, dockerfile: Path::new("Dockerfile").is_file() };
        let text = scaffold::cutover_yaml(&account, &service, launch.as_ref(), surroundings)
            .map_err(|error| internal_error(&error))?;
        // `verify` must read what is written: a name that YAML takes for something else is a bug of cutover.
        let config = cutover_config::parse(&text, DEFAULT_CONFIG_PATH)
            .map_err(|error| Failure::failed(error.to_string()))?;
        let mut open = scaffold::open_questions(&account, &service, launch.as_ref());
        let mut complete = account.gaps.is_empty();
        let mut script_is_whole = false;
        let mut files = vec![File { path: DEFAULT_CONFIG_PATH.to_owned(), text }];
        files.push(self.workflow(cloud, &config)?);
        match github_repository::repository(&self.origin, &variable, Path::new(".")) {
            Ok(repository) => {
                let job = Job::Environment(self.environment.clone());
                let role = ("/".to_owned(), format!("deploy-{name}"));
                let (role, gaps) = iam::deploy_role(cloud, &config, role, repository, job)
                    .await
                    .map_err(Failure::from)?;
                script_is_whole = gaps.is_empty();
                complete &= script_is_whole;
                let new = gaps.iter().filter(|gap| !account.gaps.contains(gap));
                open.extend(new.map(|gap| format!("{ROLE} is incomplete: {gap}")));
                files.push(File { path: ROLE.to_owned(), text: iam::role_script(&role, &gaps) });
            }
            // A wrong option is an error; a missing git remote is only a note.
            Err(why) if self.origin.repository.is_some() => return Err(Failure::refused(why)),
            Err(why) => {
                open.push(format!("{ROLE} was not written: {why}, then run `cutover iam`"));
            }
        }
        let adopts = launch.as_ref().is_some_and(Launch::needs_adoption);
        let next = match Init::is_in_workflow() {
            true => Vec::new(),
            false => next(&config, adopts, script_is_whole),
        };
        Ok(InitResult {
            title: format!("{name}: {}", describe_service(&account, &service)),
            found: found(&account, &service, launch.as_ref()),
            facts: facts(&name, &service, launch.as_ref()),
            files,
            notes: open,
            next,
            complete,
        })
    }

    /// Reads the account and returns the selected service.
    pub(super) async fn read(
        &self,
        cloud: &Aws,
    ) -> Result<(Account, Service, Option<Launch>), Failure> {
        let mut account = discovery::read(cloud).await.map_err(Failure::from)?;
        let service = self.select_service(&account)?;
        let mut gaps = std::mem::take(&mut account.gaps);
        let launch =
            discovery::read_launch(cloud, &service, &mut gaps).await.map_err(Failure::from)?;
        account.gaps = gaps;
        Ok((account, service, launch))
    }

    /// Returns the workflow that deploys a configuration.
    pub(super) fn workflow(&self, cloud: &Aws, config: &Config) -> Result<File, Failure> {
        let identity = cloud.identity();
        let account = &identity.account;
        let role =
            format!("arn:{}:iam::{account}:role/deploy-{}", identity.partition(), config.service);
        let text = scaffold::workflow(&Workflow {
            service: &config.service,
            environment: &self.environment,
            role: &role,
            builds: config.image.build.is_some(),
            packages: config.image.push.iter().any(is_ghcr),
        });
        Ok(File { path: WORKFLOW.to_owned(), text: text.map_err(|error| internal_error(&error))? })
    }

    fn name(&self, service: &Service, launch: Option<&Launch>) -> String {
        let groups: Vec<&str> = service.groups().iter().map(|group| group.name.as_str()).collect();
        let template = launch.map(|launch| launch.template.name.as_str());
        let balancers = service.load_balancers.iter().map(discovery::name_of);
        let others: Vec<&str> = template.into_iter().chain(balancers).collect();
        self.service.clone().unwrap_or_else(|| service_name(&groups, &others))
    }
}

fn found(
    account: &Account,
    service: &Service,
    launch: Option<&Launch>,
) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if let Fleet::Pair { sides, live } = &service.fleet {
        for (key, color) in [("blue", Color::Blue), ("green", Color::Green)] {
            let group = &sides[color].group;
            let role = match live {
                Some(live) if *live == color => ", live",
                Some(_) => ", idle",
                None => "",
            };
            let desired = group.capacity.desired;
            found.push((key, format!("{}{role}, {desired} instances", group.name)));
        }
    }
    for rule in &service.rules {
        let listener = account.listeners.iter().find(|listener| listener.arn == rule.listener);
        let port =
            listener.map_or_else(String::new, |listener| format!("port {}, ", listener.port));
        let what = match (&rule.id, rule.priority) {
            (RuleId::Rule(_), Some(priority)) => {
                let places = [&rule.conditions.hosts, &rule.conditions.paths];
                let places: Vec<&str> = places.into_iter().flatten().map(String::as_str).collect();
                format!("priority {priority} {}", places.join(" "))
            }
            _ => "default action".to_owned(),
        };
        found.push(("rule", format!("{port}{}", what.trim_end())));
    }
    if let Some((_, (name, value))) = &service.test {
        found.push(("test rule", format!("{name}: {value}")));
    }
    if let Some(Launch { image: Some(Ok(image)), .. }) = launch {
        found.push(("image", image.repository.to_string()));
    }
    found
}

fn facts(name: &str, service: &Service, launch: Option<&Launch>) -> Map<String, Value> {
    let strategy = match &service.fleet {
        Fleet::Pair { .. } => "canary",
        Fleet::Single(_) => "rolling",
    };
    let groups: Vec<&str> = service.groups().iter().map(|group| group.name.as_str()).collect();
    let live = match &service.fleet {
        Fleet::Pair { sides, live } => live.map(|live| sides[live].group.name.as_str()),
        Fleet::Single(member) => Some(member.group.name.as_str()),
    };
    let rules: Vec<&str> = service.rules.iter().map(|rule| rule.id.arn()).collect();
    let header = service.test.as_ref().map(|(_, (name, value))| format!("{name}: {value}"));
    let image = launch.and_then(|launch| launch.image.as_ref()?.as_ref().ok());
    let facts = [
        ("service", json!(name)),
        ("strategy", json!(strategy)),
        ("groups", json!(groups)),
        ("live", json!(live)),
        ("rules", json!(rules)),
        ("test_header", json!(header)),
        ("repository", json!(image.map(|image| image.repository.to_string()))),
        ("launch_template", json!(launch.map(|launch| &launch.template.name))),
    ];
    facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Returns the command that deploys a configuration, and what it does.
pub(super) fn deploy(config: &Config) -> (String, &'static str) {
    match config.image.push.first().filter(|_| config.image.build.is_none()) {
        Some(repository) => (
            format!("cutover deploy --image {repository}@sha256:…"),
            "rolls out an image that is already in the registry",
        ),
        None => ("cutover deploy".to_owned(), "builds, pushes and rolls out"),
    }
}

fn next(config: &Config, adopts: bool, script_is_whole: bool) -> Vec<(String, &'static str)> {
    let mut next = Vec::new();
    if adopts {
        next.push(("cutover adopt".to_owned(), "pins what is running; replaces no instances"));
    }
    next.push(("cutover verify".to_owned(), "checks that everything fits together"));
    next.push(deploy(config));
    let role = if script_is_whole { format!("sh {ROLE}") } else { "cutover iam".to_owned() };
    next.push((role, "the role that the workflow assumes"));
    next
}
