//! What was read before judging.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    Group, InstanceRefresh, Listener, LoadBalancer, Repository, Rule, ScheduledAction, TargetGroup,
};
use crate::rollout::AlarmState;

/// An account's state, as far as a rollout depends on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// When it was read, by AWS's clock.
    pub now: Timestamp,
    /// The account that the credentials are of.
    pub account: String,
    /// The configured groups by name. One that is absent does not exist.
    pub groups: BTreeMap<String, GroupFacts>,
    /// The configured target groups by name, or those attached where a single group's isn't
    /// configured. One that is absent does not exist.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// The load balancers that these target groups serve.
    pub load_balancers: Vec<LoadBalancer>,
    /// Their listeners.
    pub listeners: Vec<Listener>,
    /// Their rules and default actions, all of them.
    pub rules: Vec<Rule>,
    /// The configured launch template, or else the one that the groups launch from.
    pub template: Option<TemplateFacts>,
    /// Every group of the Region that launches from that template; instances may be left out.
    pub users: Vec<Group>,
    /// The registry that instances pull from.
    pub registry: RegistryFacts,
    /// The configured alarms by name. One that is absent does not exist.
    pub alarms: BTreeMap<String, AlarmState>,
    /// What an unfinished rollout of this service was doing, if there is one: the next run goes on
    /// from there, so what it left behind is no obstacle.
    pub unfinished: Option<String>,
}

/// A group and what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupFacts {
    /// The group with its instances.
    pub group: Group,
    /// Its instance refreshes, newest first.
    pub refreshes: Vec<InstanceRefresh>,
    /// Its scheduled actions.
    pub scheduled: Vec<ScheduledAction>,
}

/// A launch template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFacts {
    /// `lt-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What `$Default` means.
    pub default: u64,
    /// What `$Latest` means.
    pub latest: u64,
    /// How many versions it has; an upper bound is enough as long as it is far from the quota.
    pub versions: u64,
    /// The version that the live group launches from, where that is known.
    pub live: Option<VersionFacts>,
}

/// A version of a launch template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFacts {
    /// Its number.
    pub number: u64,
    /// ARN or name of the instance profile.
    pub instance_profile: Option<String>,
    /// The AMI, or a `resolve:ssm:` reference to one.
    pub image_id: Option<String>,
    /// HttpPutResponseHopLimit.
    pub hop_limit: Option<u32>,
}

/// A registry, as seen from the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryFacts {
    /// No repository is configured, or it is none of ECR's.
    NotAsked,
    /// It is there.
    Exists(Repository),
    /// It is not.
    Missing(Repository),
}
