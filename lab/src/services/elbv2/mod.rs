//! Elastic Load Balancing v2: Application Load Balancers with listeners, rules, target groups and targets.
//!
//! Two pictures are kept apart. The *control plane* ([`State`]) is what the API answers. Each
//! load-balancer *node* (one per enabled zone) has learnt its rules from it, some seconds later
//! (`propagation`); traffic follows the nodes.

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
pub use conditions::{Condition, Visit};
pub use health::{settle, target_state};
pub use health_check::HealthCheck;
pub use interfaces::{Interface, interfaces};
pub use listeners::{Listener, ListenerSpec, create_listener};
pub use load_balancers::{
    LoadBalancer, LoadBalancerSpec, LoadBalancerState, activate, create_load_balancer,
};
pub use propagation::Node;
pub use rules::{Rule, RuleSpec, create_rule};
pub use target_groups::{TargetGroup, TargetGroupSpec, create_target_group};
pub use target_state::{Reason, TargetState};
pub use targets::{Target, deregister, draining_time, register};

use std::collections::BTreeMap;

use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::World;

/// What this service remembers, by ARN.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The load balancers, with what their nodes know.
    pub load_balancers: BTreeMap<String, LoadBalancer>,
    /// Their listeners.
    pub listeners: BTreeMap<String, Listener>,
    /// The listeners' rules, the default rules among them.
    pub rules: BTreeMap<String, Rule>,
    /// The target groups, with their targets.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// Tags of any of the above.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Interfaces of load balancers that are gone.
    lingering: Vec<interfaces::Lingering>,
    /// Grows by one with every change that nodes have to learn, and with every registration.
    serial: u64,
}

impl State {
    /// Drops the tags of what is gone.
    fn forget_tags(&mut self) {
        let kept: Vec<String> =
            self.tags.keys().filter(|arn| tags::is_known(self, arn)).cloned().collect();
        self.tags.retain(|arn, _| kept.contains(arn));
    }

    /// The next serial number.
    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

/// Answers one call.
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

/// What happens by itself here.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A load balancer has been provisioned.
    Activate {
        /// Its ARN.
        load_balancer: String,
    },
    /// A node learns a rule as it was after one change.
    Learn {
        /// The ARN of the load balancer.
        load_balancer: String,
        /// The node's zone.
        zone: String,
        /// The ARN of the rule.
        rule: String,
        /// The number of the change: a node never goes back to an earlier one.
        serial: u64,
        /// The rule as changed; none if it was deleted.
        content: Option<Box<Rule>>,
    },
    /// The first health check of a newly registered target.
    FirstCheck {
        /// The ARN of the target group.
        target_group: String,
        /// The instance.
        target: String,
        /// The registration that it belongs to.
        serial: u64,
    },
    /// The periodic health check of all of a group's targets.
    Sweep {
        /// The ARN of the target group.
        target_group: String,
    },
    /// The deregistration delay of a target is over.
    Drained {
        /// The ARN of the target group.
        target_group: String,
        /// The instance.
        target: String,
        /// The registration that it ends.
        serial: u64,
    },
}

/// Lets `event` happen.
pub fn happen(world: &mut World, event: &Event) {
    match event {
        Event::Activate { load_balancer } => activate(world, load_balancer),
        Event::Learn { load_balancer, zone, rule, serial, content } => {
            propagation::learn(world, load_balancer, zone, rule, *serial, content.as_deref());
        }
        Event::FirstCheck { target_group, target, serial } => {
            health::first_check(world, target_group, target, *serial);
        }
        Event::Sweep { target_group } => health::sweep(world, target_group),
        Event::Drained { target_group, target, serial } => {
            targets::drained(world, target_group, target, *serial);
        }
    }
}
