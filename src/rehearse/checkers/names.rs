//! The resources that the configuration names, which a rollout may change, found in the world's
//! state.

use std::time::Duration;

use cutover_lab::services::elbv2::{Condition, Rule};
use cutover_lab::world::World;

use cutover_config::{Config, Fleet, ScaleIn, TestRule};
use cutover_rollout::model::{Color, RuleId};

/// The resources of a service's configuration, with the lab's ARNs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetNames {
    /// The service's name, as in the ledger's path.
    pub service: String,
    /// The launch template's ID.
    pub template: String,
    /// The group, or the two sides.
    pub sides: Vec<Side>,
    /// ARNs of the rules that move users' traffic, a default action by its rule's ARN. Empty with
    /// one group.
    pub rules: Vec<String>,
    /// ARN of the test rule.
    pub test_rule: Option<String>,
    /// The zones in each of which a side needs a ready target: the load balancer's, if cross-zone
    /// load balancing is off.
    pub zones: Vec<String>,
    /// How long the old group keeps its size until a scheduled action scales it in; `None` if that
    /// is done by hand.
    pub scale_in_after: Option<Duration>,
}

/// A group and its target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The Auto Scaling group's name.
    pub group: String,
    /// The target group's ARN, if it has one.
    pub target_group: Option<String>,
}

impl FleetNames {
    /// Finds what `config` names. `None` if the account lacks some of it.
    pub fn of(config: &Config, world: &World) -> Option<FleetNames> {
        let arn = |name: &str| {
            let found = world.elbv2.target_groups.values().find(|group| group.name == name);
            found.map(|group| group.arn.clone())
        };
        let sides: Vec<Side> = match &config.fleet {
            Fleet::Single(sole) => {
                let group = world.autoscaling.groups.get(&sole.group)?;
                let named = sole.target_group.as_deref().and_then(arn);
                let attached = || group.target_groups.first().cloned();
                vec![Side { group: sole.group.clone(), target_group: named.or_else(attached) }]
            }
            Fleet::Pair(pair) => Color::BOTH
                .iter()
                .map(|color| {
                    let target_group = Some(arn(&pair[*color].target_group)?);
                    Some(Side { group: pair[*color].group.clone(), target_group })
                })
                .collect::<Option<_>>()?,
        };
        let template = match &config.template.name {
            Some(name) => world.ec2.templates.values().find(|t| t.name == *name)?.id.clone(),
            None => world.autoscaling.groups.get(&sides[0].group)?.template.id.clone(),
        };
        let pair = sides.len() == 2;
        let rules = || world.elbv2.rules.values().filter(|_| pair);
        let test = config.traffic.test.as_ref();
        let test_rule = rules().find(|rule| test.is_some_and(|test| tests(rule, test)));
        let test_rule = test_rule.map(|rule| rule.arn.clone());
        let moves = |rule: &Rule| match &config.traffic.rules {
            Some(configured) => configured.iter().any(|id| is(rule, id)),
            None => sides.iter().any(|side| names(rule, side)),
        };
        let moving = rules().filter(|r| Some(&r.arn) != test_rule.as_ref() && moves(r));
        Some(FleetNames {
            service: config.service.clone(),
            template,
            rules: moving.map(|rule| rule.arn.clone()).collect(),
            zones: if pair { zones(world, &sides) } else { Vec::new() },
            sides,
            test_rule,
            scale_in_after: (config.scale_in == ScaleIn::Scheduled)
                .then_some(config.rollback_window),
        })
    }

    /// Returns the side whose group has this name.
    pub(super) fn side(&self, group: &str) -> Option<usize> {
        self.sides.iter().position(|side| side.group == group)
    }

    /// Returns the path of the ledger's records, with a trailing slash.
    pub(super) fn ledger(&self) -> String {
        format!("/cutover/{}/rollouts/", self.service)
    }

    /// Returns the number in a record's name; `None` for any other parameter.
    pub(super) fn number(&self, parameter: &str) -> Option<u64> {
        parameter.strip_prefix(&self.ledger())?.parse().ok()
    }

    /// Returns the ARN of the rule that a ModifyRule or ModifyListener names: a listener stands for
    /// its default action.
    pub(super) fn rule(&self, world: &World, arn: &str) -> Option<String> {
        if !arn.contains(":listener/") {
            return Some(arn.to_owned());
        }
        let is_default = |rule: &&Rule| rule.listener == arn && rule.priority.is_none();
        world.elbv2.rules.values().find(is_default).map(|rule| rule.arn.clone())
    }
}

fn is(rule: &Rule, id: &RuleId) -> bool {
    match id {
        RuleId::Rule(arn) => rule.arn == *arn,
        RuleId::ListenerDefault(arn) => rule.listener == *arn && rule.priority.is_none(),
    }
}

fn names(rule: &Rule, side: &Side) -> bool {
    let groups = rule.forward().map(|forward| forward.groups.as_slice()).unwrap_or_default();
    groups.iter().any(|(arn, _)| Some(arn) == side.target_group.as_ref())
}

fn tests(rule: &Rule, route: &TestRule) -> bool {
    rule.conditions.iter().any(|condition| match condition {
        Condition::Header { name, values } => {
            name.eq_ignore_ascii_case(&route.header.0) && values.contains(&route.header.1)
        }
        _ => false,
    })
}

/// Returns the load balancer's zones, if a target group keeps traffic within its zone.
fn zones(world: &World, sides: &[Side]) -> Vec<String> {
    let target_groups =
        sides.iter().filter_map(|s| world.elbv2.target_groups.get(s.target_group.as_ref()?));
    if target_groups.clone().all(|group| group.cross_zone()) {
        return Vec::new();
    }
    let balancer = world.elbv2.load_balancers.values().next();
    balancer.map(|balancer| balancer.nodes.keys().cloned().collect()).unwrap_or_default()
}
