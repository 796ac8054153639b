//! How rules travel from the control plane to the load balancer's nodes. AWS promises no time;
//! reading a rule back proves only what the control plane holds (seen by others: 503s of an
//! old target group after its weight had been set to 0).

use std::collections::BTreeMap;

use super::{Event, LoadBalancerState, Rule, Visit};
use crate::world::{self, World, later};

/// One load-balancer node: the part of a load balancer that is in one zone.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// By rule ARN, the newest change learnt; no content for a deleted rule.
    known: BTreeMap<String, (u64, Option<Rule>)>,
}

impl Node {
    /// The rule of `listener` that this node applies to `visit`: the lowest priority number whose
    /// conditions hold, else the default rule.
    pub fn route(&self, listener: &str, visit: &Visit<'_>) -> Option<&Rule> {
        self.known
            .values()
            .filter_map(|(_, rule)| rule.as_ref())
            .filter(|rule| rule.listener == listener && rule.matches(visit))
            .min_by_key(|rule| rule.priority.unwrap_or(u32::MAX))
    }

    /// What this node knows of a rule.
    pub fn rule(&self, arn: &str) -> Option<&Rule> {
        self.known.get(arn).and_then(|(_, rule)| rule.as_ref())
    }

    fn learn(&mut self, arn: &str, serial: u64, content: Option<&Rule>) {
        let newer = self.known.get(arn).is_none_or(|(known, _)| *known < serial);
        if newer {
            self.known.insert(arn.to_owned(), (serial, content.cloned()));
        }
    }
}

/// Sends the present content of a rule to every node of its load balancer. Each learns it at a
/// time of its own within `Params::weights_min..=weights_max`; those of a load balancer that is
/// still being provisioned begin with it.
pub(super) fn publish(world: &mut World, load_balancer: &str, rule: &str) {
    let serial = world.elbv2.next_serial();
    let content = world.elbv2.rules.get(rule).cloned();
    let Some(balancer) = world.elbv2.load_balancers.get_mut(load_balancer) else { return };
    if balancer.state == LoadBalancerState::Provisioning {
        balancer.nodes.values_mut().for_each(|n| n.learn(rule, serial, content.as_ref()));
        return;
    }
    for zone in balancer.nodes.keys() {
        let delay = world.rng.between(world.params.weights_min, world.params.weights_max);
        let event = Event::Learn {
            load_balancer: load_balancer.to_owned(),
            zone: zone.clone(),
            rule: rule.to_owned(),
            serial,
            content: content.clone().map(Box::new),
        };
        world.queue.push(later(world.now, delay), world::Event::Elbv2(event));
    }
}

/// A node learns one change of a rule.
pub(super) fn learn(
    world: &mut World,
    load_balancer: &str,
    zone: &str,
    rule: &str,
    serial: u64,
    content: Option<&Rule>,
) {
    let balancer = world.elbv2.load_balancers.get_mut(load_balancer);
    if let Some(node) = balancer.and_then(|b| b.nodes.get_mut(zone)) {
        node.learn(rule, serial, content);
    }
}

/// Every node of a load balancer learns all its rules at once.
pub(super) fn learn_all(world: &mut World, load_balancer: &str) {
    let serial = world.elbv2.next_serial();
    let state = &mut world.elbv2;
    let Some(balancer) = state.load_balancers.get_mut(load_balancer) else { return };
    for rule in state.rules.values().filter(|r| r.load_balancer == load_balancer) {
        balancer.nodes.values_mut().for_each(|n| n.learn(&rule.arn, serial, Some(rule)));
    }
}

/// Nodes that know nothing yet, because their zone has just been enabled, begin with the rules as they
/// are now.
pub(super) fn teach_new(world: &mut World, load_balancer: &str) {
    let serial = world.elbv2.next_serial();
    let state = &mut world.elbv2;
    let Some(balancer) = state.load_balancers.get_mut(load_balancer) else { return };
    for node in balancer.nodes.values_mut().filter(|node| node.known.is_empty()) {
        for rule in state.rules.values().filter(|r| r.load_balancer == load_balancer) {
            node.learn(&rule.arn, serial, Some(rule));
        }
    }
}
