//! Which service is meant: by options, from a list in a terminal, or not at all.

use std::io::{IsTerminal as _, stderr, stdin};

use console::Term;
use dialoguer::Select;

use super::{Failure, Init, Shown};
use crate::discovery::{self, Account, Fleet, Service, name_of};
use crate::iam::shell_word;
use crate::model::{Ending, TemplateSource};

impl Init {
    /// The service that the options name, the only one there is, or the one that a person chooses.
    pub(super) fn choose(&self, account: &Account) -> Result<Service, Failure> {
        let refused = |message: String| (Ending::Refused, message);
        let mut found = discovery::choose(account, &self.groups, self.load_balancer.as_deref())
            .map_err(|why| {
                refused(format!("{why} (account {}, {})", account.account, account.region))
            })?;
        let named = !self.groups.is_empty() || self.load_balancer.is_some();
        let position = match found.len() {
            0 => return Err(refused(nothing(account))),
            1 if named => 0,
            _ => match self.asked(account, &found)? {
                Some(position) => position,
                None => {
                    return Err(refused(listed(account, self.load_balancer.as_deref(), &found)));
                }
            },
        };
        let service = found.swap_remove(position);
        if let Some(group) =
            service.groups().into_iter().find(|g| matches!(g.source, TemplateSource::Other))
        {
            return Err(refused(format!(
                "`{}` does not launch from a launch template, so there is nothing to version\n\
                 give it a launch template: https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-templates.html",
                group.name
            )));
        }
        Ok(service)
    }

    /// Lets a person choose; `None` where there is none.
    fn asked(&self, account: &Account, found: &[Service]) -> Result<Option<usize>, Failure> {
        if self.format == Shown::Json || !stdin().is_terminal() || !stderr().is_terminal() {
            return Ok(None);
        }
        let lines: Vec<String> = found.iter().map(|service| described(account, service)).collect();
        let chosen = Select::new()
            .with_prompt("Select the service to deploy")
            .items(&lines)
            .default(0)
            .interact_on_opt(&Term::stderr());
        match chosen {
            Ok(Some(position)) => Ok(Some(position)),
            Ok(None) => {
                Err((Ending::Interrupted, "nothing was chosen and nothing was written".to_owned()))
            }
            Err(error) => Err((Ending::Interrupted, format!("{error}; nothing was written"))),
        }
    }
}

fn nothing(account: &Account) -> String {
    format!(
        "there is no Auto Scaling group in account {}, {}\n\
         another Region: `cutover init --region REGION`; an account without a service: `cutover init --from-scratch --service NAME`",
        account.account, account.region
    )
}

/// The services, each with the option that chooses it.
fn listed(account: &Account, behind: Option<&str>, found: &[Service]) -> String {
    let option = |service: &Service| {
        let name = service.groups().first().map_or("", |group| group.name.as_str());
        format!("--group {}", shell_word(name))
    };
    let width = found.iter().map(|service| console::measure_text_width(&option(service))).max();
    let lines = found.iter().map(|service| {
        let option =
            console::pad_str(&option(service), width.unwrap_or(0), console::Alignment::Left, None)
                .into_owned();
        format!("  {option}  {}", described(account, service))
    });
    let count = match found.len() {
        1 => "is one service".to_owned(),
        n => format!("are {n} services"),
    };
    let place = match behind {
        Some(balancer) => format!("behind `{balancer}`"),
        None => format!("in account {}, {}", account.account, account.region),
    };
    format!("there {count} {place}; say which one:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// A service in a line.
pub(super) fn described(account: &Account, service: &Service) -> String {
    let unknown = !account.gaps.is_empty();
    let groups = match &service.fleet {
        Fleet::Pair { sides, .. } => {
            format!("{} and {}", sides.blue.group.name, sides.green.group.name)
        }
        Fleet::Single(member) => member.group.name.clone(),
    };
    let balancers: Vec<&str> = service.load_balancers.iter().map(name_of).collect();
    let behind = match balancers.as_slice() {
        [] if unknown => "load balancer not known".to_owned(),
        [] => "behind no load balancer".to_owned(),
        names => format!("behind {}", names.join(", ")),
    };
    let template = service.template().map_or_else(
        || "no launch template".to_owned(),
        |template| format!("launch template {} at {}", template.name, template.version),
    );
    format!("{groups}, {behind}, {template}")
}
