//! Which of an account's services is meant.

use super::Account;
use super::account::name_of;
use super::service::{self, Service, services};
use crate::model::Group;

/// The services that fit what was asked for: all of them where nothing was. Two groups are one service, whatever else
/// they look like.
///
/// # Errors
/// Where a name is nobody's, with the names that there are.
pub fn choose(
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
        _ => return Err("name one group, or two different ones that take turns".to_owned()),
    };
    let Some(wanted) = load_balancer else { return Ok(all) };
    let by_dns = account.load_balancers.iter().find(|b| b.dns_name.eq_ignore_ascii_case(wanted));
    let balancer = match by_dns {
        Some(balancer) => balancer,
        None => find(
            &account.load_balancers,
            |b| name_of(b),
            wanted,
            "load balancer with a group behind it",
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
            [] => format!("there is no {what} here"),
            names => {
                let shown: Vec<String> =
                    names.iter().take(5).map(|name| format!("`{name}`")).collect();
                let more = if names.len() > 5 { ", …" } else { "" };
                format!("there is no {what} `{wanted}`; there is {}{more}", shown.join(", "))
            }
        }
    })
}
