//! Determines the services of an account: which groups belong together.

use std::collections::BTreeMap;

use super::Account;
use crate::preflight::live_color;
use cutover_rollout::model::{Color, Group, LaunchTemplate, LoadBalancer, PerColor, Rule, RuleId};

/// A group and the target group through which it receives traffic.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupWithTarget {
    /// The Auto Scaling group.
    pub group: Group,
    /// The ARN of its target group, if it has one.
    pub target_group: Option<String>,
}

impl GroupWithTarget {
    /// Returns the name of its target group. The ARN ends with `targetgroup/<name>/<id>` (user guide).
    pub fn target_group_name(&self) -> Option<&str> {
        self.target_group.as_deref()?.split('/').nth(1)
    }
}

/// The groups of a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Fleet {
    /// Two groups that alternate between live and idle.
    Pair {
        /// The groups, each with its target group.
        sides: Box<PerColor<GroupWithTarget>>,
        /// The color that receives all traffic; `None` if neither does.
        live: Option<Color>,
    },
    /// One group.
    Single(Box<GroupWithTarget>),
}

/// A service that cutover could deploy.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its groups.
    pub fleet: Fleet,
    /// The load balancers that forward to it.
    pub load_balancers: Vec<LoadBalancer>,
    /// The rules and default actions that forward to its target groups, without the test rule.
    pub rules: Vec<Rule>,
    /// The test rule, with the name and value of its header.
    pub test: Option<(Rule, (String, String))>,
}

impl Service {
    /// Returns the groups: blue and green, or the only one.
    pub fn groups(&self) -> Vec<&Group> {
        self.members().into_iter().map(|member| &member.group).collect()
    }

    /// Returns the groups with their target groups.
    pub fn members(&self) -> Vec<&GroupWithTarget> {
        match &self.fleet {
            Fleet::Pair { sides, .. } => Color::BOTH.map(|color| &sides[color]).to_vec(),
            Fleet::Single(member) => vec![member],
        }
    }

    /// Returns the launch template of the live group, otherwise of the first group that has one.
    pub fn template(&self) -> Option<&LaunchTemplate> {
        let live = match &self.fleet {
            Fleet::Pair { sides, live: Some(live) } => sides[*live].group.source.template(),
            _ => None,
        };
        live.or_else(|| self.groups().into_iter().find_map(|group| group.source.template()))
    }
}

/// Returns the services of an account, ordered by the name of their first group. Two groups form one service if a rule
/// forwards to the target groups of both, or if only they use the same launch template and at most one of them receives
/// traffic.
pub(super) fn services(account: &Account) -> Vec<Service> {
    let mut pairs = weighted_pairs(account);
    let taken = |pairs: &[[usize; 2]], n: usize| pairs.iter().any(|pair| pair.contains(&n));
    for pair in template_pairs(account) {
        if pair.iter().all(|n| !taken(&pairs, *n)) {
            pairs.push(pair);
        }
    }
    let singles = (0..account.groups.len()).filter(|n| !taken(&pairs, *n));
    let mut found: Vec<Service> = singles.map(|n| single(account, &account.groups[n])).collect();
    found.extend(
        pairs.iter().map(|[a, b]| pair(account, [&account.groups[*a], &account.groups[*b]])),
    );
    found.sort_by_key(|service| service.groups().first().map(|group| group.name.clone()));
    found
}

/// Makes a service of two groups.
pub(super) fn pair(account: &Account, groups: [&Group; 2]) -> Service {
    let [first, second] = in_order(groups);
    let (blue, green) = shared_rule(account, first, second).unwrap_or_else(|| {
        let own = |group: &Group| group.target_groups.first().cloned().unwrap_or_default();
        (own(first), own(second))
    });
    let arns = PerColor { blue: blue.as_str(), green: green.as_str() };
    let naming: Vec<&Rule> = account.rules.iter().filter(|rule| names(rule, arns)).collect();
    let all: Vec<RuleId> = naming.iter().filter(|r| !is_header(r)).map(|r| r.id.clone()).collect();
    let live = live_color(&account.rules, &all, arns);
    let test = naming.iter().find_map(|rule| test_of(rule, arns, live));
    let is_test = |rule: &Rule| test.as_ref().is_some_and(|(found, _)| found.id == rule.id);
    let member = |group: &Group, arn: &str| GroupWithTarget {
        group: group.clone(),
        target_group: (!arn.is_empty()).then(|| arn.to_owned()),
    };
    let mut load_balancers = account.load_balancers_of(first);
    let others = account.load_balancers_of(second);
    load_balancers
        .extend(others.into_iter().filter(|b| !load_balancers.contains(b)).collect::<Vec<_>>());
    Service {
        load_balancers: load_balancers.into_iter().cloned().collect(),
        rules: naming.into_iter().filter(|rule| !is_test(rule)).cloned().collect(),
        fleet: Fleet::Pair {
            sides: Box::new(PerColor { blue: member(first, &blue), green: member(second, &green) }),
            live,
        },
        test,
    }
}

/// Makes a service of one group.
pub(super) fn single(account: &Account, group: &Group) -> Service {
    let named = |arn: &&String| account.rules.iter().any(|rule| forwards_to(rule, arn));
    let arn = group.target_groups.iter().find(named).or(group.target_groups.first());
    let rules = account.rules.iter().filter(|rule| arn.is_some_and(|arn| forwards_to(rule, arn)));
    Service {
        load_balancers: account.load_balancers_of(group).into_iter().cloned().collect(),
        rules: rules.cloned().collect(),
        fleet: Fleet::Single(Box::new(GroupWithTarget {
            group: group.clone(),
            target_group: arn.cloned(),
        })),
        test: None,
    }
}

/// Orders two groups: blue first if the names contain colors, otherwise by name.
fn in_order(groups: [&Group; 2]) -> [&Group; 2] {
    let [a, b] = groups;
    let says = |group: &Group, color: &str| group.name.to_ascii_lowercase().contains(color);
    let swapped = (says(a, "green") && !says(b, "green")) || (says(b, "blue") && !says(a, "blue"));
    let by_name = !says(a, "blue") && !says(b, "green") && a.name > b.name;
    if swapped || by_name { [b, a] } else { [a, b] }
}

/// Returns pairs of groups whose target groups are in one rule. A group that would be in two pairs is in none.
fn weighted_pairs(account: &Account) -> Vec<[usize; 2]> {
    let mut found: Vec<[usize; 2]> = Vec::new();
    for a in 0..account.groups.len() {
        for b in a + 1..account.groups.len() {
            if shared_rule(account, &account.groups[a], &account.groups[b]).is_some() {
                found.push([a, b]);
            }
        }
    }
    let count = |n: usize| found.iter().filter(|pair| pair.contains(&n)).count();
    found.iter().copied().filter(|pair| pair.iter().all(|n| count(*n) == 1)).collect()
}

/// Returns pairs of groups that are the only users of a launch template and of which at most one receives
/// traffic, except through header rules.
fn template_pairs(account: &Account) -> Vec<[usize; 2]> {
    // Without the rules it is not known which group receives traffic.
    if !account.gaps.is_empty() {
        return Vec::new();
    }
    let mut users: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (n, group) in account.groups.iter().enumerate() {
        if let Some(template) = group.source.template() {
            users.entry(&template.id).or_default().push(n);
        }
    }
    let one_each = |pair: &[usize; 2]| {
        let [a, b] = pair.map(|n| &account.groups[n].target_groups);
        a.len() == 1 && b.len() == 1 && a != b
    };
    let busy = |n: usize| {
        account.rules.iter().filter(|rule| !is_header(rule)).any(|rule| {
            let forward = rule.forward.as_ref();
            let arns = &account.groups[n].target_groups;
            arns.iter().any(|arn| forward.is_some_and(|forward| forward.share(arn) > 0))
        })
    };
    let takes_turns = |pair: &[usize; 2]| pair.iter().filter(|n| busy(**n)).count() < 2;
    users
        .into_values()
        .filter_map(|users| <[usize; 2]>::try_from(users).ok())
        .filter(|pair| one_each(pair) && takes_turns(pair))
        .collect()
}

/// Returns the target groups of both groups if one rule forwards to both.
fn shared_rule(account: &Account, a: &Group, b: &Group) -> Option<(String, String)> {
    account.rules.iter().find_map(|rule| {
        let forward = rule.forward.as_ref()?;
        let of = |group: &Group, other: &Group| {
            let named = |arn: &&String| forward.names(arn) && !other.target_groups.contains(arn);
            group.target_groups.iter().find(named).cloned()
        };
        Some((of(a, b)?, of(b, a)?))
    })
}

/// The header of the test rule that `init` proposes.
const PROPOSED_HEADER: &str = "X-Cutover";

/// Returns the rule with its header if it is a test rule: it has a header condition and forwards only to the idle side. After
/// a rollout the test rule forwards to the side that is live by then: there only the proposed header tells it from a rule of
/// the service's own.
fn test_of(
    rule: &Rule,
    pair: PerColor<&str>,
    live: Option<Color>,
) -> Option<(Rule, (String, String))> {
    let forward = rule.forward.as_ref()?;
    let (name, values) = rule.conditions.headers.first()?;
    let proposed = name.eq_ignore_ascii_case(PROPOSED_HEADER);
    let tested = match live.filter(|_| !proposed) {
        Some(live) => forward.share(pair[live.other()]) == 100,
        // The header says enough; or, while traffic is split, neither side is idle.
        None => Color::BOTH.into_iter().any(|color| forward.share(pair[color]) == 100),
    };
    // A request must send a literal value, without wildcards.
    let literal = |value: &&String| {
        value.bytes().all(|b| b.is_ascii_graphic()) && !value.contains(['*', '?'])
    };
    let value = values.iter().find(literal)?;
    tested.then(|| (rule.clone(), (name.clone(), value.clone())))
}

fn is_header(rule: &Rule) -> bool {
    !rule.conditions.headers.is_empty()
}

fn forwards_to(rule: &Rule, arn: &str) -> bool {
    rule.forward.as_ref().is_some_and(|forward| forward.names(arn))
}

fn names(rule: &Rule, pair: PerColor<&str>) -> bool {
    Color::BOTH.into_iter().any(|color| forwards_to(rule, pair[color]))
}
