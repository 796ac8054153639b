//! Propagation of rules from the control plane to the nodes of a load balancer. AWS documents no time for it;
//! reading a rule back shows only the state of the control plane (users have seen 503s from an old target group
//! after its weight was set to 0).

use super::load_balancer::LoadBalancerState;
use super::rule::Rule;
use super::state::Event;
use crate::world::{self, World, later};

/// Propagates the current state of a rule to every node of its load balancer. Each node receives it after its
/// own random delay in `Params::weights_min..=weights_max`. While the load balancer is being provisioned, its
/// nodes receive it at once.
pub(super) fn propagate(world: &mut World, load_balancer: &str, rule: &str) {
    let serial = world.elbv2.next_serial();
    let content = world.elbv2.rules.get(rule).cloned();
    let Some(balancer) = world.elbv2.load_balancers.get_mut(load_balancer) else { return };
    if balancer.state == LoadBalancerState::Provisioning {
        balancer.nodes.values_mut().for_each(|n| n.apply(rule, serial, content.as_ref()));
        return;
    }
    for zone in balancer.nodes.keys() {
        let delay = world.rng.between(world.params.weights_min, world.params.weights_max);
        let event = Event::UpdateNode {
            load_balancer: load_balancer.to_owned(),
            zone: zone.clone(),
            rule: rule.to_owned(),
            serial,
            content: content.clone().map(Box::new),
        };
        world.queue.push(later(world.now, delay), world::Event::Elbv2(event));
    }
}

/// Applies a rule change to a node.
pub(super) fn update_node(
    world: &mut World,
    load_balancer: &str,
    zone: &str,
    rule: &str,
    serial: u64,
    content: Option<&Rule>,
) {
    let balancer = world.elbv2.load_balancers.get_mut(load_balancer);
    if let Some(node) = balancer.and_then(|b| b.nodes.get_mut(zone)) {
        node.apply(rule, serial, content);
    }
}

/// Copies all rules of a load balancer to all of its nodes at once.
pub(super) fn sync_all_nodes(world: &mut World, load_balancer: &str) {
    let serial = world.elbv2.next_serial();
    let state = &mut world.elbv2;
    let Some(balancer) = state.load_balancers.get_mut(load_balancer) else { return };
    for rule in state.rules.values().filter(|r| r.load_balancer == load_balancer) {
        balancer.nodes.values_mut().for_each(|n| n.apply(&rule.arn, serial, Some(rule)));
    }
}

/// Copies all rules of a load balancer to its nodes that have none yet because their zone has just been
/// enabled.
pub(super) fn sync_new_nodes(world: &mut World, load_balancer: &str) {
    let serial = world.elbv2.next_serial();
    let state = &mut world.elbv2;
    let Some(balancer) = state.load_balancers.get_mut(load_balancer) else { return };
    for node in balancer.nodes.values_mut().filter(|node| node.rules.is_empty()) {
        for rule in state.rules.values().filter(|r| r.load_balancer == load_balancer) {
            node.apply(&rule.arn, serial, Some(rule));
        }
    }
}
