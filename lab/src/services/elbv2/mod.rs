//! Elastic Load Balancing v2: Application Load Balancers with listeners, rules, target groups and targets.
//!
//! The API reads and writes the *control plane* ([`State`]). Each load balancer *node* (one per enabled zone)
//! has its own copy of the rules, which is updated some seconds later (`propagation`). Traffic is routed by the
//! nodes.

mod account;
mod actions;
mod attributes;
mod certificates;
mod conditions;
mod errors;
#[cfg(test)]
pub(crate) mod fixture;
mod health;
mod health_check;
mod interfaces;
mod listeners;
mod load_balancers;
mod paging;
mod placement;
mod propagation;
mod rules;
mod tags;
mod target_groups;
mod target_state;
mod targets;
#[cfg(test)]
mod tests;

pub use actions::{Action, ActionKind, Forward};
pub use conditions::{Condition, RequestParts};
pub use health::{mark_healthy, target_state};
pub use health_check::HealthCheck;
pub use interfaces::{LoadBalancerInterface, interfaces};
pub use listeners::{Listener, ListenerSpec, create_listener};
pub use load_balancers::{
    LoadBalancer, LoadBalancerSpec, LoadBalancerState, activate, create_load_balancer,
};
pub use propagation::Node;
pub use rules::{Rule, RuleSpec, create_rule};
pub use target_groups::{TargetGroup, TargetGroupSpec, create_target_group};
pub use target_state::{HealthReason, TargetState};
pub use targets::{Target, deregister, deregistration_delay, register};

use std::collections::BTreeMap;

use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::World;

/// The state of this service, by ARN.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The load balancers, with the rules that their nodes have.
    pub load_balancers: BTreeMap<String, LoadBalancer>,
    /// Their listeners.
    pub listeners: BTreeMap<String, Listener>,
    /// The listeners' rules, including default rules.
    pub rules: BTreeMap<String, Rule>,
    /// The target groups, with their targets.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// The tags of all of the above.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    /// The network interfaces of deleted load balancers.
    lingering: Vec<interfaces::LingeringInterface>,
    /// Incremented with every rule change that is propagated to nodes, and with every registration or
    /// deregistration of a target.
    serial: u64,
}

impl State {
    /// Removes the tags of resources that no longer exist.
    fn remove_orphaned_tags(&mut self) {
        let kept: Vec<String> =
            self.tags.keys().filter(|arn| tags::is_known(self, arn)).cloned().collect();
        self.tags.retain(|arn, _| kept.contains(arn));
    }

    /// Returns the next serial number.
    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

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
        _ => Err(ApiError::unknown_operation(call)),
    }
}

/// A scheduled event of this service.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A load balancer has been provisioned.
    Activate {
        /// Its ARN.
        load_balancer: String,
    },
    /// A rule change reaches a node.
    UpdateNode {
        /// The ARN of the load balancer.
        load_balancer: String,
        /// The zone of the node.
        zone: String,
        /// The ARN of the rule.
        rule: String,
        /// The serial number of the change: a node never reverts to an earlier one.
        serial: u64,
        /// The changed rule; none if it was deleted.
        content: Option<Box<Rule>>,
    },
    /// The first health check of a newly registered target.
    FirstCheck {
        /// The ARN of the target group.
        target_group: String,
        /// The id of the instance.
        target: String,
        /// The serial number of its registration.
        serial: u64,
    },
    /// The periodic health check of all targets of a target group.
    PeriodicCheck {
        /// The ARN of the target group.
        target_group: String,
    },
    /// The deregistration delay of a target has elapsed.
    DrainingEnded {
        /// The ARN of the target group.
        target_group: String,
        /// The id of the instance.
        target: String,
        /// The serial number of its deregistration.
        serial: u64,
    },
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
