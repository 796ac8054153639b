//! Reads everything in a Region that traffic passes on its way to an instance.

use std::collections::BTreeSet;

use crate::access::gap_if_denied;
use crate::iam::Gap;
use cutover_aws::{Aws, AwsError, TargetGroupSummary};
use cutover_rollout::model::{Group, Listener, LoadBalancer, Rule};

/// The resources in an account's Region that matter to a deployment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Account {
    /// The account id: twelve digits.
    pub account: String,
    /// The Region.
    pub region: String,
    /// Every Auto Scaling group.
    pub groups: Vec<Group>,
    /// Every target group.
    pub target_groups: Vec<TargetGroupSummary>,
    /// Every load balancer that forwards to a group.
    pub load_balancers: Vec<LoadBalancer>,
    /// The listeners of the load balancers.
    pub listeners: Vec<Listener>,
    /// The rules and default actions, in the order in which a listener evaluates them.
    pub rules: Vec<Rule>,
    /// The denied reads.
    pub gaps: Vec<Gap>,
}

/// Reads the account.
///
/// # Errors
/// If a request fails, or listing the groups is denied: nothing can be found without them.
pub async fn read(cloud: &Aws) -> Result<Account, AwsError> {
    let identity = cloud.identity();
    let mut gaps = Vec::new();
    let groups = cloud.all_groups().await?;
    let target_groups = cloud.all_target_groups().await;
    let target_groups =
        gap_if_denied(target_groups, "which target groups exist", &mut gaps)?.unwrap_or_default();
    let attached: BTreeSet<&str> =
        groups.iter().flat_map(|group| &group.target_groups).map(String::as_str).collect();
    let serving: BTreeSet<&str> = target_groups
        .iter()
        .filter(|target_group| attached.contains(target_group.arn.as_str()))
        .flat_map(|target_group| &target_group.load_balancers)
        .map(String::as_str)
        .collect();
    let balancers = cloud.all_load_balancers().await;
    let mut load_balancers =
        gap_if_denied(balancers, "which load balancers exist", &mut gaps)?.unwrap_or_default();
    load_balancers.retain(|balancer| serving.contains(balancer.arn.as_str()));
    let (mut listeners, mut rules) = (Vec::new(), Vec::new());
    for balancer in &load_balancers {
        let found = cloud.listeners(&balancer.arn).await;
        listeners
            .extend(gap_if_denied(found, "which listeners exist", &mut gaps)?.unwrap_or_default());
        let found = cloud.rules_of(&balancer.arn).await;
        let found = gap_if_denied(found, "which rules forward to the groups", &mut gaps)?;
        rules.extend(found.unwrap_or_default().into_iter().map(|found| found.rule));
    }
    Ok(Account {
        account: identity.account.clone(),
        region: identity.region.clone(),
        groups,
        target_groups,
        load_balancers,
        listeners,
        rules,
        gaps,
    })
}

impl Account {
    /// Returns the target group with this ARN.
    pub fn target_group(&self, arn: &str) -> Option<&TargetGroupSummary> {
        self.target_groups.iter().find(|target_group| target_group.arn == arn)
    }

    /// Returns the load balancers that forward to a group.
    pub fn load_balancers_of(&self, group: &Group) -> Vec<&LoadBalancer> {
        let serving = |balancer: &&LoadBalancer| {
            let target_groups = group.target_groups.iter().filter_map(|arn| self.target_group(arn));
            target_groups.flat_map(|found| &found.load_balancers).any(|arn| *arn == balancer.arn)
        };
        self.load_balancers.iter().filter(serving).collect()
    }
}

/// Returns the name of a load balancer: its ARN ends with `loadbalancer/app/<name>/<id>` (user guide).
pub fn name_of(balancer: &LoadBalancer) -> &str {
    balancer.arn.split('/').rev().nth(1).unwrap_or(&balancer.arn)
}
