//! A role's permissions: its inline policies, and the managed policies attached to it.

use super::documents::{self, PolicyKind, percent_encode};
use super::errors::{limit, new_name, no_such_entity, quota};
use super::listing::page;
use super::{policies, roles};
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// The most managed policies attached to a role (quota).
const ATTACHED: usize = 10;
/// The most characters of all inline policies of a role together, not counting white space (quota).
const INLINE: usize = 10_240;

/// `PutRolePolicy`.
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = new_name(input, "PolicyName", 128)?;
    let document = input.need_str("PolicyDocument")?;
    documents::check(document, PolicyKind::Identity)?;
    let role = roles::find_modifiable(world, input)?;
    let size = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let others: usize =
        role.policies.iter().filter(|(known, _)| *known != name).map(|(_, d)| size(d)).sum();
    if others + size(document) > INLINE {
        return Err(limit(format!(
            "Maximum policy size of {INLINE} bytes exceeded for role {}",
            role.name
        )));
    }
    role.policies.insert(name.to_owned(), document.to_owned());
    Ok(Value::Null)
}

/// `GetRolePolicy`.
pub(super) fn get(world: &World, input: &Value) -> ApiResult<Value> {
    let (role, name) = (roles::find(world, input)?, input.need_str("PolicyName")?);
    let document = role.policies.get(name);
    let document = document.ok_or_else(|| {
        no_such_entity(format!("The role policy with name {name} cannot be found."))
    })?;
    Ok(map([
        ("RoleName", role.name.as_str().into()),
        ("PolicyName", name.into()),
        ("PolicyDocument", percent_encode(document).into()),
    ]))
}

/// `ListRolePolicies`.
pub(super) fn list(world: &World, input: &Value) -> ApiResult<Value> {
    let names = roles::find(world, input)?.policies.keys().map(Value::from).collect();
    page("PolicyNames", names, input)
}

/// `DeleteRolePolicy`.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = input.need_str("PolicyName")?;
    match roles::find_modifiable(world, input)?.policies.remove(name) {
        Some(_) => Ok(Value::Null),
        None => Err(no_such_entity(format!("The role policy with name {name} cannot be found."))),
    }
}

/// `AttachRolePolicy`: succeeds if the policy is already attached.
pub(super) fn attach(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("PolicyArn")?.to_owned();
    roles::find_modifiable(world, input)?;
    if !policies::exists(world, &arn) {
        return Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")));
    }
    let role = roles::find_modifiable(world, input)?;
    if !role.attached.contains(&arn) && role.attached.len() >= ATTACHED {
        return Err(quota("PoliciesPerRole", ATTACHED));
    }
    role.attached.insert(arn);
    Ok(Value::Null)
}

/// `DetachRolePolicy`.
pub(super) fn detach(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = input.need_str("PolicyArn")?;
    if roles::find_modifiable(world, input)?.attached.remove(arn) {
        return Ok(Value::Null);
    }
    Err(no_such_entity(format!("Policy {arn} was not found.")))
}

/// `ListAttachedRolePolicies`.
pub(super) fn list_attached(world: &World, input: &Value) -> ApiResult<Value> {
    let attached = roles::find(world, input)?.attached.iter().map(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        map([("PolicyName", name.into()), ("PolicyArn", arn.into())])
    });
    page("AttachedPolicies", attached.collect(), input)
}
