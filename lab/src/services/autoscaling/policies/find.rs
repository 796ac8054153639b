//! Finds a policy by name or ARN.

use super::super::errors::invalid;
use super::super::request::named;
use crate::wire::{ApiResult, Value};
use crate::world::World;

/// Returns group and name of the policy that a request names: by name within a group, or by ARN.
pub(super) fn find(world: &mut World, input: &Value) -> ApiResult<(String, String)> {
    let wanted = input.need_str("PolicyName")?;
    let only = match input.str("AutoScalingGroupName") {
        Some(_) => Some(named(world, input)?.name.clone()),
        None if wanted.starts_with("arn:") => None,
        None => return Err(invalid("Auto Scaling group name is required with a policy name")),
    };
    world
        .autoscaling
        .groups
        .values()
        .filter(|group| only.as_ref().is_none_or(|name| *name == group.name))
        .flat_map(|group| group.policies.values().map(move |policy| (group, policy)))
        .find(|(_, policy)| policy.name == wanted || policy.arn == wanted)
        .map(|(group, policy)| (group.name.clone(), policy.name.clone()))
        .ok_or_else(|| invalid(format!("No policy found with name or ARN {wanted}")))
}
