//! What was read before judging.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cloud::{TemplateFacts, VersionFacts};
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
    /// How many versions it has; an upper bound is enough as long as it is far from the quota.
    pub versions: u64,
    /// The version that the live group launches from, or that the groups do while that isn't
    /// known; `None` where it isn't a number.
    pub live: Option<VersionFacts>,
    /// Every group of the Region that launches from that template; instances may be left out.
    pub users: Vec<Group>,
    /// The repositories of the account's own registry that the image is to be in and that do not
    /// exist.
    pub missing_repositories: Vec<Repository>,
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
