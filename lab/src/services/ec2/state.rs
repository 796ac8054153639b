//! The state of EC2, and the events that change it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ami::Ami;
use super::client_token::TokenUse;
use super::errors;
use super::instance::Instance;
use super::key_pair::KeyPair;
use super::launch_template::LaunchTemplate;
use super::network::gateway::InternetGateway;
use super::network::route_table::RouteTable;
use super::network::security_group::SecurityGroup;
use super::network::subnet::Subnet;
use super::network::vpc::Vpc;
use super::zone::Zone;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// The state of this service.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Launch templates by `lt-…`.
    pub templates: BTreeMap<String, LaunchTemplate>,
    /// Instances by `i-…`; terminated ones remain for an hour.
    pub instances: BTreeMap<String, Instance>,
    /// Availability Zones by name.
    pub zones: BTreeMap<String, Zone>,
    /// VPCs by `vpc-…`.
    pub vpcs: BTreeMap<String, Vpc>,
    /// Subnets by `subnet-…`.
    pub subnets: BTreeMap<String, Subnet>,
    /// Internet gateways by `igw-…`.
    pub gateways: BTreeMap<String, InternetGateway>,
    /// Route tables by `rtb-…`.
    pub route_tables: BTreeMap<String, RouteTable>,
    /// Security groups by `sg-…`.
    pub security_groups: BTreeMap<String, SecurityGroup>,
    /// The zones without capacity for new instances, and when the shortage ends.
    pub zones_without_capacity: BTreeMap<String, Timestamp>,
    /// AMIs by `ami-…`.
    pub amis: BTreeMap<String, Ami>,
    /// Key pairs by `key-…`.
    pub key_pairs: BTreeMap<String, KeyPair>,
    /// Tags by resource, except for instances, which hold their own.
    pub tags: BTreeMap<String, Tags>,
    /// The client tokens that have been used.
    pub(super) client_tokens: BTreeMap<String, TokenUse>,
}

impl State {
    /// Returns whether a resource of this kind has this id.
    pub(super) fn has(&self, kind: errors::ResourceKind, id: &str) -> bool {
        match kind {
            errors::VPC => self.vpcs.contains_key(id),
            errors::SUBNET => self.subnets.contains_key(id),
            errors::GATEWAY => self.gateways.contains_key(id),
            errors::ROUTE_TABLE => self.route_tables.contains_key(id),
            errors::SECURITY_GROUP => self.security_groups.contains_key(id),
            errors::SECURITY_RULE => {
                self.security_groups.values().any(|group| group.rules.contains_key(id))
            }
            errors::INSTANCE => self.instances.contains_key(id),
            errors::IMAGE => self.amis.contains_key(id),
            errors::KEY_PAIR => self.key_pairs.contains_key(id),
            errors::LAUNCH_TEMPLATE => self.templates.contains_key(id),
            _ => false,
        }
    }

    /// Returns the tags of a resource; none if it has none.
    pub(super) fn tags_of(&self, id: &str) -> Option<&Tags> {
        match self.instances.get(id) {
            Some(instance) => Some(&instance.tags),
            None => self.tags.get(id),
        }
    }

    /// Removes the tags of resources that no longer exist.
    pub(super) fn remove_orphaned_tags(&mut self) {
        let kept: BTreeSet<String> = self
            .tags
            .keys()
            .filter(|id| errors::KINDS.iter().any(|kind| self.has(*kind, id)))
            .cloned()
            .collect();
        self.tags.retain(|id, _| kept.contains(id));
    }
}

/// A scheduled event of this service.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The program on an instance begins to answer. The event changes no state; it only ends the current
    /// interval of simulated traffic.
    ProgramStarted(String),
    /// The program on an instance exits.
    ProgramCrashed(String),
    /// An instance from RunInstances or StartInstances enters the state running.
    Running(String),
    /// An instance that is being stopped has stopped.
    Stopped(String),
    /// An instance has terminated.
    Terminated(String),
    /// A terminated instance disappears from the listings.
    Removed(String),
}
