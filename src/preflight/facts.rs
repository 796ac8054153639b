//! The facts that preflight checks.

use std::collections::BTreeMap;

use jiff::Timestamp;

use cutover_aws::{TemplateFacts, VersionFacts};
use cutover_rollout::AlarmState;
use cutover_rollout::model::{
    Group, InstanceRefresh, Listener, LoadBalancer, Repository, Rule, ScheduledAction, TargetGroup,
};

/// The state of the account, as far as a rollout depends on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// When it was read, by AWS's clock.
    pub now: Timestamp,
    /// The account id of the credentials.
    pub account: String,
    /// The configured groups by name. Missing ones do not exist.
    pub groups: BTreeMap<String, GroupFacts>,
    /// The configured target groups by name; those attached to a single group if none is configured. Missing
    /// ones do not exist.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// The load balancers of these target groups.
    pub load_balancers: Vec<LoadBalancer>,
    /// The listeners of the load balancers.
    pub listeners: Vec<Listener>,
    /// All rules and default actions of the load balancers.
    pub rules: Vec<Rule>,
    /// The configured launch template, otherwise the one that the groups use.
    pub template: Option<TemplateFacts>,
    /// The number of its versions, or an upper bound if that is far below the quota.
    pub versions: u64,
    /// The version that the live group launches from; the highest of both groups if it is not known which one is live.
    /// `None` if it is not a number.
    pub live: Option<VersionFacts>,
    /// Every group in the Region that launches from this template, possibly without its instances.
    pub users: Vec<Group>,
    /// The configured repositories in the account's own registry that do not exist.
    pub missing_repositories: Vec<Repository>,
    /// The configured alarms by name. Missing ones do not exist.
    pub alarms: BTreeMap<String, AlarmState>,
    /// What an unfinished rollout of this service was doing, if there is one. The next run resumes it, so what it left
    /// behind does not block a rollout.
    pub unfinished: Option<String>,
}

/// A group with its refreshes and scheduled actions.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupFacts {
    /// The group with its instances.
    pub group: Group,
    /// The instance refreshes, newest first.
    pub refreshes: Vec<InstanceRefresh>,
    /// The scheduled actions.
    pub scheduled: Vec<ScheduledAction>,
}
