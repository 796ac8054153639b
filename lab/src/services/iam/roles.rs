//! Roles, including service-linked ones.

use super::create::create_role;
use super::documents::{self, PolicyKind, percent_encode};
use super::errors::{
    add_tags, already_exists, conflict, invalid_input, new_name, no_such_entity, path, quota, tags,
    validation,
};
use super::listing::{page, write_tags};
use super::state::Role;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most roles in an account (quota).
const QUOTA: usize = 1000;
/// The most characters of a trust policy, not counting white space (quota).
const TRUST: usize = 2048;

/// The services that have a service-linked role, each with the role's name.
const SERVICE_LINKED: &[(&str, &str)] = &[
    ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
    ("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
    ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
    ("spot.amazonaws.com", "AWSServiceRoleForEC2Spot"),
];

/// `CreateRole`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = new_name(input, "RoleName", 64)?;
    let (path, given) = (path(input)?, tags(input)?);
    let trust = trust(input.need_str("AssumeRolePolicyDocument")?)?;
    let (description, max_session) = (description(input)?, max_session(input)?.unwrap_or(3600));
    if world.iam.roles.contains_key(name) {
        return Err(already_exists(format!("Role with name {name} already exists.")));
    }
    if world.iam.roles.len() >= QUOTA {
        return Err(quota("RolesPerAccount", QUOTA));
    }
    create_role(world, name, &trust, max_session);
    let account = world.account.clone();
    if let Some(role) = world.iam.roles.get_mut(name) {
        role.arn = format!("arn:aws:iam::{account}:role{path}{name}");
        (role.path, role.description, role.tags) = (path, description, given);
        role.boundary = input.str("PermissionsBoundary").map(str::to_owned);
    }
    Ok(map([("Role", describe(find(world, input)?, false))]))
}

/// `CreateServiceLinkedRole`.
pub(super) fn create_linked(world: &mut World, input: &Value) -> ApiResult<Value> {
    let service = input.need_str("AWSServiceName")?;
    let Some((_, name)) = SERVICE_LINKED.iter().find(|(known, _)| *known == service) else {
        return Err(invalid_input(format!("Service role name could not be found for {service}.")));
    };
    let name = match input.str("CustomSuffix") {
        Some(suffix) => format!("{name}_{suffix}"),
        None => (*name).to_owned(),
    };
    if world.iam.roles.contains_key(&name) {
        return Err(invalid_input(format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        )));
    }
    let trust = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": service },
            "Action": "sts:AssumeRole"
        }]
    });
    create_role(world, &name, &trust.to_string(), 3600);
    let (account, path) = (world.account.clone(), format!("/aws-service-role/{service}/"));
    let mut written = Value::Null;
    if let Some(role) = world.iam.roles.get_mut(&name) {
        role.arn = format!("arn:aws:iam::{account}:role{path}{name}");
        role.path = path;
        role.description = input.str("Description").map(str::to_owned);
        written = describe(role, false);
    }
    Ok(map([("Role", written)]))
}

/// `DeleteServiceLinkedRole`: deletes at once, although the response names a task to poll.
pub(super) fn delete_linked(world: &mut World, input: &Value) -> ApiResult<Value> {
    let role = find(world, input)?;
    if !role.path.starts_with("/aws-service-role/") {
        return Err(no_such_role(&role.name));
    }
    let (name, task) = (role.name.clone(), format!("task{}{}/x", role.path, role.name));
    world.iam.roles.remove(&name);
    Ok(map([("DeletionTaskId", task.into())]))
}

/// `GetServiceLinkedRoleDeletionStatus`.
pub(super) fn deletion_status(input: &Value) -> ApiResult<Value> {
    input.need_str("DeletionTaskId")?;
    Ok(map([("Status", "SUCCEEDED".into())]))
}

/// `GetRole`.
pub(super) fn get(world: &World, input: &Value) -> ApiResult<Value> {
    Ok(map([("Role", describe(find(world, input)?, true))]))
}

/// `ListRoles`: leaves out tags and some other attributes (API reference).
pub(super) fn list(world: &World, input: &Value) -> ApiResult<Value> {
    let prefix = input.str("PathPrefix").unwrap_or("/");
    let roles = world.iam.roles.values().filter(|role| role.path.starts_with(prefix));
    page("Roles", roles.map(brief).collect(), input)
}

/// `UpdateRole`.
pub(super) fn update(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (description, max_session) = (description(input)?, max_session(input)?);
    let role = find_modifiable(world, input)?;
    if let Some(description) = description {
        role.description = Some(description);
    }
    role.max_session = max_session.unwrap_or(role.max_session);
    Ok(map([]))
}

/// `UpdateRoleDescription`.
pub(super) fn update_description(world: &mut World, input: &Value) -> ApiResult<Value> {
    let description = description(input)?;
    find_modifiable(world, input)?.description = description;
    Ok(map([("Role", describe(find(world, input)?, false))]))
}

/// `UpdateAssumeRolePolicy`.
pub(super) fn update_trust(world: &mut World, input: &Value) -> ApiResult<Value> {
    let document = trust(input.need_str("PolicyDocument")?)?;
    find_modifiable(world, input)?.trust = document;
    Ok(Value::Null)
}

/// `PutRolePermissionsBoundary` if `on` is set, otherwise `DeleteRolePermissionsBoundary`.
pub(super) fn set_boundary(world: &mut World, input: &Value, on: bool) -> ApiResult<Value> {
    let boundary = if on { Some(input.need_str("PermissionsBoundary")?.to_owned()) } else { None };
    find_modifiable(world, input)?.boundary = boundary;
    Ok(Value::Null)
}

/// `DeleteRole`: fails if the role has policies or is in an instance profile.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    find_modifiable(world, input)?;
    let role = find(world, input)?;
    let name = role.name.clone();
    if world.iam.profiles.values().any(|profile| profile.role.as_ref() == Some(&name)) {
        return Err(conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    if !role.attached.is_empty() {
        return Err(conflict("Cannot delete entity, must detach all policies first."));
    }
    if !role.policies.is_empty() {
        return Err(conflict("Cannot delete entity, must delete policies first."));
    }
    world.iam.roles.remove(&name);
    Ok(Value::Null)
}

/// `TagRole`.
pub(super) fn tag(world: &mut World, input: &Value) -> ApiResult<Value> {
    add_tags(&mut find_mut(world, input)?.tags, input)?;
    Ok(Value::Null)
}

/// `UntagRole`.
pub(super) fn untag(world: &mut World, input: &Value) -> ApiResult<Value> {
    let keys = input.strings("TagKeys");
    find_mut(world, input)?.tags.retain(|key, _| !keys.contains(key));
    Ok(Value::Null)
}

/// `ListRoleTags`.
pub(super) fn list_tags(world: &World, input: &Value) -> ApiResult<Value> {
    let tags = write_tags(&find(world, input)?.tags);
    let tags = if let Value::List(tags) = tags { tags } else { Vec::new() };
    page("Tags", tags, input)
}

/// Returns the role that a call names, or NoSuchEntity.
pub(super) fn find<'w>(world: &'w World, input: &Value) -> ApiResult<&'w Role> {
    let name = input.need_str("RoleName")?;
    world.iam.roles.get(name).ok_or_else(|| no_such_role(name))
}

/// Like [`find`], but mutable.
pub(super) fn find_mut<'w>(world: &'w mut World, input: &Value) -> ApiResult<&'w mut Role> {
    let name = input.need_str("RoleName")?;
    world.iam.roles.get_mut(name).ok_or_else(|| no_such_role(name))
}

/// Like [`find_mut`], but fails for a service-linked role.
pub(super) fn find_modifiable<'w>(world: &'w mut World, input: &Value) -> ApiResult<&'w mut Role> {
    let role = find_mut(world, input)?;
    if role.path.starts_with("/aws-service-role/") {
        return Err(ApiError::sender(
            "UnmodifiableEntity",
            format!(
                "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
                role.name
            ),
        ));
    }
    Ok(role)
}

fn no_such_role(name: &str) -> ApiError {
    no_such_entity(format!("The role with name {name} cannot be found."))
}

fn trust(document: &str) -> ApiResult<String> {
    documents::check(document, PolicyKind::Trust)?;
    if document.chars().filter(|c| !c.is_whitespace()).count() > TRUST {
        return Err(quota("ACLSizePerRole", TRUST));
    }
    Ok(document.to_owned())
}

fn description(input: &Value) -> ApiResult<Option<String>> {
    let description = input.str("Description").map(str::to_owned);
    if description.as_ref().is_some_and(|text| text.chars().count() > 1000) {
        return Err(validation(
            "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 1000",
        ));
    }
    Ok(description)
}

fn max_session(input: &Value) -> ApiResult<Option<i64>> {
    match input.int("MaxSessionDuration") {
        Some(seconds) if !(3600..=43200).contains(&seconds) => Err(validation(format!(
            "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200"
        ))),
        seconds => Ok(seconds),
    }
}

fn brief(role: &Role) -> Value {
    map([
        ("Path", role.path.as_str().into()),
        ("RoleName", role.name.as_str().into()),
        ("RoleId", role.id.as_str().into()),
        ("Arn", role.arn.as_str().into()),
        ("CreateDate", role.created.into()),
        ("AssumeRolePolicyDocument", percent_encode(&role.trust).into()),
        ("Description", role.description.clone().into()),
        ("MaxSessionDuration", role.max_session.into()),
    ])
}

/// Formats a role for a response; `used` adds when it was last used.
pub(super) fn describe(role: &Role, used: bool) -> Value {
    let boundary = role.boundary.as_ref().map(|arn| {
        map([
            ("PermissionsBoundaryType", "Policy".into()),
            ("PermissionsBoundaryArn", arn.as_str().into()),
        ])
    });
    let last = role.last_used.as_ref().map_or(map([]), |(at, region)| {
        map([("LastUsedDate", (*at).into()), ("Region", region.as_str().into())])
    });
    let tags = (used || !role.tags.is_empty()).then(|| write_tags(&role.tags));
    brief(role)
        .with("PermissionsBoundary", boundary)
        .with("Tags", tags)
        .with("RoleLastUsed", used.then_some(last))
}
