//! Finds roles and instance profiles, and lists what was created and not deleted.

use super::state::{InstanceProfile, Role};
use crate::world::World;

/// Returns the role with this ARN.
pub(crate) fn role<'w>(world: &'w World, arn: &str) -> Option<&'w Role> {
    world.iam.roles.values().find(|role| role.arn == arn)
}

/// Returns the instance profile with this ARN, or by name if no ARN is given.
pub(crate) fn find_instance_profile<'w>(
    world: &'w World,
    arn: Option<&str>,
    name: Option<&str>,
) -> Option<&'w InstanceProfile> {
    match (arn, name) {
        (Some(arn), _) => world.iam.profiles.values().find(|profile| profile.arn == arn),
        (None, Some(name)) => world.iam.profiles.get(name),
        (None, None) => None,
    }
}

/// Returns the ARNs of all roles, instance profiles, OIDC providers and customer managed policies.
pub fn leftovers(world: &World) -> Vec<String> {
    let state = &world.iam;
    let roles = state.roles.values().map(|role| &role.arn);
    let profiles = state.profiles.values().map(|profile| &profile.arn);
    let rest = state.providers.keys().chain(state.policies.keys());
    roles.chain(profiles).chain(rest).cloned().collect()
}
