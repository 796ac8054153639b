//! Chooses one of an account's services.

use super::Account;
use super::account::name_of;
use super::service::{self, Service, services};
use cutover_rollout::model::Group;

/// Returns the services that match the named groups and load balancer; all services if nothing is named. Two
/// named groups form one service in any case.
///
/// # Errors
/// If a name does not exist, with the existing names.
pub fn choose_services(
    account: &Account,
    groups: &[String],
    load_balancer: Option<&str>,
) -> Result<Vec<Service>, String> {
    let named: Vec<&Group> = groups
        .iter()
        .map(|name| find(&account.groups, |group| &group.name, name, "Auto Scaling group"))
        .collect::<Result<_, _>>()?;
    let all = match named.as_slice() {
        [] => services(account),
        [one] => {
            let found = services(account);
            found.into_iter().filter(|service| service.groups().contains(one)).collect()
        }
        [a, b] if a.name != b.name => vec![service::pair(account, [a, b])],
        _ => return Err("name one group, or two different ones".to_owned()),
    };
    let Some(wanted) = load_balancer else { return Ok(all) };
    let by_dns = account.load_balancers.iter().find(|b| b.dns_name.eq_ignore_ascii_case(wanted));
    let balancer = match by_dns {
        Some(balancer) => balancer,
        None => find(
            &account.load_balancers,
            |b| name_of(b),
            wanted,
            "load balancer in front of a group",
        )?,
    };
    let behind = |service: &Service| service.load_balancers.contains(balancer);
    let found: Vec<Service> = all.into_iter().filter(behind).collect();
    if found.is_empty() {
        return Err(format!("no such group is behind the load balancer `{wanted}`"));
    }
    Ok(found)
}

fn find<'a, T>(
    all: &'a [T],
    name: impl Fn(&'a T) -> &'a str,
    wanted: &str,
    what: &str,
) -> Result<&'a T, String> {
    let named = all.iter().find(|one| name(one) == wanted);
    named.ok_or_else(|| {
        let mut names: Vec<&str> = all.iter().map(name).collect();
        names.sort_by(|a, b| {
            let near = |name: &str| strsim::jaro_winkler(name, wanted);
            near(b).total_cmp(&near(a))
        });
        match names.as_slice() {
            [] => format!("there is no {what} in this account and Region"),
            names => {
                let shown: Vec<String> =
                    names.iter().take(5).map(|name| format!("`{name}`")).collect();
                let more = if names.len() > 5 { ", …" } else { "" };
                format!(
                    "there is no {what} `{wanted}`; existing ones are {}{more}",
                    shown.join(", ")
                )
            }
        }
    })
}
