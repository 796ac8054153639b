//! The state of Elastic Load Balancing, and the events that change it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::interface::{LingeringInterface, LoadBalancerInterface, of_balancer};
use super::listener::Listener;
use super::load_balancer::LoadBalancer;
use super::rule::Rule;
use super::target_group::TargetGroup;

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
    pub(super) lingering: Vec<LingeringInterface>,
    /// Incremented with every rule change that is propagated to nodes, and with every registration or
    /// deregistration of a target.
    serial: u64,
}

impl State {
    /// Removes the tags of resources that no longer exist.
    pub(super) fn remove_orphaned_tags(&mut self) {
        let kept: Vec<String> = self.tags.keys().filter(|arn| self.has(arn)).cloned().collect();
        self.tags.retain(|arn, _| kept.contains(arn));
    }

    /// Returns whether a resource has this ARN.
    pub(super) fn has(&self, arn: &str) -> bool {
        if arn.contains(":listener-rule/") {
            self.rules.contains_key(arn)
        } else if arn.contains(":listener/") {
            self.listeners.contains_key(arn)
        } else if arn.contains(":targetgroup/") {
            self.target_groups.contains_key(arn)
        } else {
            self.load_balancers.contains_key(arn)
        }
    }

    /// Returns all network interfaces of load balancers, including those of deleted ones, at a time.
    pub fn interfaces(&self, now: Timestamp) -> Vec<LoadBalancerInterface> {
        let present = self.load_balancers.values().flat_map(of_balancer);
        let lingering = self.lingering.iter().filter(|l| l.until > now);
        present.chain(lingering.map(|lingering| lingering.interface.clone())).collect()
    }

    /// Returns the next serial number.
    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
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
