//! A load balancer as data.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::node::Node;

/// An Application Load Balancer.
#[derive(Debug, Clone)]
pub struct LoadBalancer {
    /// `arn:aws:elasticloadbalancing:…:loadbalancer/app/<name>/<16 digits>`.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its DNS name; settable, because a lab on loopback has another address.
    pub dns_name: String,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// Its state.
    pub state: LoadBalancerState,
    /// Its creation time.
    pub created: Timestamp,
    /// The id of its VPC.
    pub vpc: String,
    /// The id of the subnet in each enabled zone.
    pub subnets: BTreeMap<String, String>,
    /// The ids of its security groups; stored, without effect.
    pub security_groups: Vec<String>,
    /// Attributes by key.
    pub attributes: BTreeMap<String, String>,
    /// Its nodes by zone, each with its own copy of the rules.
    pub nodes: BTreeMap<String, Node>,
}

/// The states of `LoadBalancerStateEnum` that the lab uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadBalancerState {
    /// Being provisioned: its nodes don't exist yet. Took about 130 s in one recorded run.
    Provisioning,
    /// Receives traffic.
    Active,
}

impl LoadBalancer {
    /// Returns `app/<name>/<16 digits>`, the value of CloudWatch's `LoadBalancer` dimension.
    pub fn dimension(&self) -> &str {
        self.arn.split_once(":loadbalancer/").map_or("", |(_, path)| path)
    }
}
