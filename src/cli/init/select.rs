//! Selects the service: by options, or from a list in a terminal.

use std::io::{IsTerminal as _, stderr, stdin};

use console::Term;
use dialoguer::Select;

use super::{Init, InitFormat};
use crate::discovery::{self, Account, Fleet, Service, name_of};
use crate::iam::shell_word;
use cutover_rollout::model::{Failure, Status, TemplateSource};

impl Init {
    /// Returns the service that the options name, or the one that a person selects.
    pub(super) fn select_service(&self, account: &Account) -> Result<Service, Failure> {
        let refused = |message: String| Failure::refused(message);
        let mut found =
            discovery::choose_services(account, &self.groups, self.load_balancer.as_deref())
                .map_err(|why| {
                    refused(format!("{why} (account {}, {})", account.account, account.region))
                })?;
        let named = !self.groups.is_empty() || self.load_balancer.is_some();
        let position = match found.len() {
            0 => return Err(refused(no_groups_message(account))),
            1 if named => 0,
            _ => match self.prompt(account, &found)? {
                Some(position) => position,
                None => {
                    return Err(refused(service_list(
                        account,
                        self.load_balancer.as_deref(),
                        &found,
                    )));
                }
            },
        };
        let service = found.swap_remove(position);
        if let Some(group) =
            service.groups().into_iter().find(|g| matches!(g.source, TemplateSource::Other))
        {
            return Err(refused(format!(
                "`{}` does not use a launch template, so cutover cannot pin a version\n\
                 create a launch template for it: https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-templates.html",
                group.name
            )));
        }
        Ok(service)
    }

    /// Lets a person select a service in a terminal; `None` outside of one.
    fn prompt(&self, account: &Account, found: &[Service]) -> Result<Option<usize>, Failure> {
        if self.format == InitFormat::Json || !stdin().is_terminal() || !stderr().is_terminal() {
            return Ok(None);
        }
        let lines: Vec<String> =
            found.iter().map(|service| describe_service(account, service)).collect();
        let chosen = Select::new()
            .with_prompt("Select the service to deploy")
            .items(&lines)
            .default(0)
            .interact_on_opt(&Term::stderr());
        match chosen {
            Ok(Some(position)) => Ok(Some(position)),
            Ok(None) => {
                let message = "no service was selected; nothing was written";
                Err(Failure::new(Status::Interrupted, message))
            }
            Err(error) => {
                let message = format!("{error}; nothing was written");
                Err(Failure::new(Status::Interrupted, message))
            }
        }
    }
}

fn no_groups_message(account: &Account) -> String {
    format!(
        "account {} has no Auto Scaling groups in {}\n\
         use `cutover init --region REGION` for another Region, or `cutover init --from-scratch --service NAME` for a new service",
        account.account, account.region
    )
}

/// Returns the list of services, each with the option that selects it.
fn service_list(account: &Account, behind: Option<&str>, found: &[Service]) -> String {
    let option = |service: &Service| {
        let name = service.groups().first().map_or("", |group| group.name.as_str());
        format!("--group {}", shell_word(name))
    };
    let width = found.iter().map(|service| console::measure_text_width(&option(service))).max();
    let lines = found.iter().map(|service| {
        let option =
            console::pad_str(&option(service), width.unwrap_or(0), console::Alignment::Left, None)
                .into_owned();
        format!("  {option}  {}", describe_service(account, service))
    });
    let count = match found.len() {
        1 => "one service".to_owned(),
        n => format!("{n} services"),
    };
    let place = match behind {
        Some(balancer) => format!("behind `{balancer}`"),
        None => format!("in account {}, {}", account.account, account.region),
    };
    format!("found {count} {place}; select one:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Returns a description of a service in one line.
pub(super) fn describe_service(account: &Account, service: &Service) -> String {
    let unknown = !account.gaps.is_empty();
    let groups = match &service.fleet {
        Fleet::Pair { sides, .. } => {
            format!("{} and {}", sides.blue.group.name, sides.green.group.name)
        }
        Fleet::Single(member) => member.group.name.clone(),
    };
    let balancers: Vec<&str> = service.load_balancers.iter().map(name_of).collect();
    let behind = match balancers.as_slice() {
        [] if unknown => "load balancer unknown".to_owned(),
        [] => "no load balancer".to_owned(),
        names => format!("behind {}", names.join(", ")),
    };
    let template = service.template().map_or_else(
        || "no launch template".to_owned(),
        |template| format!("launch template {} at {}", template.name, template.version),
    );
    format!("{groups}, {behind}, {template}")
}
