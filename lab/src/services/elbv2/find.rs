//! Finds what a request names.

use super::errors::{listener_not_found, load_balancer_not_found, target_group_not_found};
use super::listener::Listener;
use super::load_balancer::LoadBalancer;
use super::rule::Rule;
use super::target_group::TargetGroup;
use crate::wire::ApiResult;
use crate::world::World;

/// Returns the ARN of the load balancer whose rules forward to the group, whatever the weight.
pub(super) fn load_balancer_of<'w>(world: &'w World, group: &str) -> Option<&'w str> {
    let names = |rule: &&Rule| rule.groups().any(|g| g == group);
    world.elbv2.rules.values().find(names).map(|rule| rule.load_balancer.as_str())
}

/// Returns the load balancer with this ARN, or LoadBalancerNotFound.
pub(super) fn load_balancer<'w>(world: &'w World, arn: &str) -> ApiResult<&'w LoadBalancer> {
    world.elbv2.load_balancers.get(arn).ok_or_else(|| load_balancer_not_found(arn))
}

/// Returns the listener with this ARN, or ListenerNotFound.
pub(super) fn listener<'w>(world: &'w World, arn: &str) -> ApiResult<&'w Listener> {
    world.elbv2.listeners.get(arn).ok_or_else(|| listener_not_found(arn))
}

/// Returns the target group with this ARN, or TargetGroupNotFound.
pub(super) fn target_group<'w>(world: &'w World, arn: &str) -> ApiResult<&'w TargetGroup> {
    world.elbv2.target_groups.get(arn).ok_or_else(|| target_group_not_found(arn))
}
