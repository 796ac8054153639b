//! Instance profiles.

use super::create::create_instance_profile;
use super::errors::{
    add_tags, already_exists, conflict, new_name, no_such_entity, path, quota, tags,
};
use super::listing::{page, write_tags};
use super::roles;
use super::state::InstanceProfile;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most instance profiles in an account (quota).
const QUOTA: usize = 1000;

/// `CreateInstanceProfile`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = new_name(input, "InstanceProfileName", 128)?;
    let (path, given) = (path(input)?, tags(input)?);
    if world.iam.profiles.contains_key(name) {
        return Err(already_exists(format!("Instance Profile {name} already exists.")));
    }
    if world.iam.profiles.len() >= QUOTA {
        return Err(quota("InstanceProfilesPerAccount", QUOTA));
    }
    create_instance_profile(world, name, None);
    let account = world.account.clone();
    if let Some(profile) = world.iam.profiles.get_mut(name) {
        profile.arn = format!("arn:aws:iam::{account}:instance-profile{path}{name}");
        (profile.path, profile.tags) = (path, given);
    }
    get(world, input)
}

/// `GetInstanceProfile`.
pub(super) fn get(world: &World, input: &Value) -> ApiResult<Value> {
    let profile = find(world, input)?;
    Ok(map([("InstanceProfile", describe(world, profile))]))
}

/// `ListInstanceProfiles`, or `ListInstanceProfilesForRole` if `of_role` is set.
pub(super) fn list(world: &World, input: &Value, of_role: bool) -> ApiResult<Value> {
    let role = if of_role { Some(roles::find(world, input)?.name.clone()) } else { None };
    let prefix = input.str("PathPrefix").unwrap_or("/");
    let profiles = world.iam.profiles.values();
    let found = profiles
        .filter(|profile| profile.path.starts_with(prefix))
        .filter(|profile| role.is_none() || profile.role == role)
        .map(|profile| describe(world, profile));
    page("InstanceProfiles", found.collect(), input)
}

/// `AddRoleToInstanceProfile`: a profile has at most one role.
pub(super) fn add_role(world: &mut World, input: &Value) -> ApiResult<Value> {
    let role = roles::find(world, input)?.name.clone();
    let profile = find_mut(world, input)?;
    if profile.role.is_some() {
        return Err(quota("InstanceSessionsPerInstanceProfile", 1));
    }
    profile.role = Some(role);
    Ok(Value::Null)
}

/// `RemoveRoleFromInstanceProfile`.
pub(super) fn remove_role(world: &mut World, input: &Value) -> ApiResult<Value> {
    let role = roles::find(world, input)?.name.clone();
    let profile = find_mut(world, input)?;
    if profile.role.as_ref() != Some(&role) {
        return Err(no_such_entity(format!(
            "Role {role} in Instance Profile {} cannot be found.",
            profile.name
        )));
    }
    profile.role = None;
    Ok(Value::Null)
}

/// `DeleteInstanceProfile`: fails if the profile has a role.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let profile = find(world, input)?;
    if profile.role.is_some() {
        return Err(conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    let name = profile.name.clone();
    world.iam.profiles.remove(&name);
    Ok(Value::Null)
}

/// `TagInstanceProfile`, or `UntagInstanceProfile` if `off` is set.
pub(super) fn tag(world: &mut World, input: &Value, off: bool) -> ApiResult<Value> {
    let keys = input.strings("TagKeys");
    let profile = find_mut(world, input)?;
    if off {
        profile.tags.retain(|key, _| !keys.contains(key));
    } else {
        add_tags(&mut profile.tags, input)?;
    }
    Ok(Value::Null)
}

/// `ListInstanceProfileTags`.
pub(super) fn list_tags(world: &World, input: &Value) -> ApiResult<Value> {
    let tags = write_tags(&find(world, input)?.tags);
    let tags = if let Value::List(tags) = tags { tags } else { Vec::new() };
    page("Tags", tags, input)
}

fn find<'w>(world: &'w World, input: &Value) -> ApiResult<&'w InstanceProfile> {
    let name = input.need_str("InstanceProfileName")?;
    world.iam.profiles.get(name).ok_or_else(|| missing(name))
}

fn find_mut<'w>(world: &'w mut World, input: &Value) -> ApiResult<&'w mut InstanceProfile> {
    let name = input.need_str("InstanceProfileName")?;
    world.iam.profiles.get_mut(name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> ApiError {
    no_such_entity(format!("Instance Profile {name} cannot be found."))
}

fn describe(world: &World, profile: &InstanceProfile) -> Value {
    let roles = profile.role.iter().filter_map(|name| world.iam.roles.get(name));
    map([
        ("Path", profile.path.as_str().into()),
        ("InstanceProfileName", profile.name.as_str().into()),
        ("InstanceProfileId", profile.id.as_str().into()),
        ("Arn", profile.arn.as_str().into()),
        ("CreateDate", profile.created.into()),
        ("Roles", Value::List(roles.map(|role| roles::describe(role, false)).collect())),
        ("Tags", write_tags(&profile.tags)),
    ])
}
