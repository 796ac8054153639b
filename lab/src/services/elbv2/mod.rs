//! Elastic Load Balancing v2: Application Load Balancers with listeners, rules, target groups and targets.
//!
//! The API reads and writes the *control plane* ([`State`]). Each load balancer *node* (one per enabled zone)
//! has its own copy of the rules, which is updated some seconds later (`propagation`). Traffic is routed by the
//! nodes.

mod account;
pub(crate) mod action;
mod actions;
mod attributes;
mod certificates;
pub(crate) mod conditions;
mod errors;
mod find;
#[cfg(test)]
pub(crate) mod fixture;
mod health;
mod health_check;
pub(crate) mod interface;
mod interfaces;
mod listener;
mod listeners;
pub(crate) mod load_balancer;
mod load_balancers;
pub(crate) mod node;
mod paging;
mod placement;
mod propagation;
mod quotas;
pub(crate) mod rule;
mod rules;
pub(crate) mod state;
mod tags;
mod target;
pub(crate) mod target_group;
mod target_groups;
pub(crate) mod target_state;
mod targets;
#[cfg(test)]
mod tests;

use crate::wire::{ApiResult, Call, Value};
use crate::world::World;

pub use action::{Action, ActionKind, Forward};
pub use conditions::{Condition, RequestParts};
pub use health::{mark_healthy, target_state};
pub use health_check::HealthCheck;
pub use interface::LoadBalancerInterface;
pub use listener::Listener;
pub use listeners::{ListenerSpec, create_listener};
pub use load_balancer::{LoadBalancer, LoadBalancerState};
pub use load_balancers::{LoadBalancerSpec, activate, create_load_balancer};
pub use node::Node;
pub use rule::Rule;
pub use rules::{RuleSpec, create_rule};
pub use state::{Event, State};
pub use target::Target;
pub use target_group::TargetGroup;
pub use target_groups::{TargetGroupSpec, create_target_group};
pub use target_state::{HealthReason, TargetState};
pub use targets::{deregister, deregistration_delay, register};

/// Handles one API call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    match call.operation.as_str() {
        "CreateLoadBalancer" => load_balancers::create(world, input),
        "DescribeLoadBalancers" => load_balancers::describe(world, input),
        "DeleteLoadBalancer" => load_balancers::delete(world, input),
        "SetSubnets" => load_balancers::set_subnets(world, input),
        "SetSecurityGroups" => load_balancers::set_security_groups(world, input),
        "SetIpAddressType" => load_balancers::set_ip_address_type(world, input),
        "DescribeLoadBalancerAttributes" => attributes::describe_load_balancer(world, input),
        "ModifyLoadBalancerAttributes" => attributes::modify_load_balancer(world, input),
        "CreateListener" => listeners::create(world, input),
        "DescribeListeners" => listeners::describe(world, input),
        "ModifyListener" => listeners::modify(world, input),
        "DeleteListener" => listeners::delete(world, input),
        "DescribeListenerAttributes" => attributes::describe_listener(world, input),
        "ModifyListenerAttributes" => attributes::modify_listener(world, input),
        "AddListenerCertificates" => certificates::add(world, input),
        "RemoveListenerCertificates" => certificates::remove(world, input),
        "DescribeListenerCertificates" => certificates::describe(world, input),
        "CreateRule" => rules::create(world, input),
        "DescribeRules" => rules::describe(world, input),
        "ModifyRule" => rules::modify(world, input),
        "DeleteRule" => rules::delete(world, input),
        "SetRulePriorities" => rules::set_priorities(world, input),
        "CreateTargetGroup" => target_groups::create(world, input),
        "DescribeTargetGroups" => target_groups::describe(world, input),
        "ModifyTargetGroup" => target_groups::modify(world, input),
        "DeleteTargetGroup" => target_groups::delete(world, input),
        "DescribeTargetGroupAttributes" => attributes::describe_target_group(world, input),
        "ModifyTargetGroupAttributes" => attributes::modify_target_group(world, input),
        "RegisterTargets" => targets::register_targets(world, input),
        "DeregisterTargets" => targets::deregister_targets(world, input),
        "DescribeTargetHealth" => targets::describe_health(world, input),
        "AddTags" => tags::add(world, input),
        "RemoveTags" => tags::remove(world, input),
        "DescribeTags" => tags::describe(world, input),
        "DescribeAccountLimits" => account::describe_limits(world, input),
        "DescribeSSLPolicies" => account::describe_policies(input),
        _ => Err(call.unknown_operation()),
    }
}

/// Handles `event`.
pub fn handle_event(world: &mut World, event: &Event) {
    match event {
        Event::Activate { load_balancer } => activate(world, load_balancer),
        Event::UpdateNode { load_balancer, zone, rule, serial, content } => {
            propagation::update_node(world, load_balancer, zone, rule, *serial, content.as_deref());
        }
        Event::FirstCheck { target_group, target, serial } => {
            health::first_check(world, target_group, target, *serial);
        }
        Event::PeriodicCheck { target_group } => health::periodic_check(world, target_group),
        Event::DrainingEnded { target_group, target, serial } => {
            targets::end_draining(world, target_group, target, *serial);
        }
    }
}
