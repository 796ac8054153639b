//! Dispatches IAM's operations.

use super::{policies, profiles, providers, role_policies, roles};
use crate::wire::{ApiResult, Call, Value, map};
use crate::world::World;

/// Handles one API call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    match call.operation.as_str() {
        "CreateOpenIDConnectProvider" => providers::create(world, input),
        "GetOpenIDConnectProvider" => providers::get(world, input),
        "ListOpenIDConnectProviders" => Ok(providers::list(world)),
        "DeleteOpenIDConnectProvider" => providers::delete(world, input),
        "UpdateOpenIDConnectProviderThumbprint" => providers::update_thumbprints(world, input),
        "AddClientIDToOpenIDConnectProvider" => providers::add_audience(world, input),
        "RemoveClientIDFromOpenIDConnectProvider" => providers::remove_audience(world, input),
        "TagOpenIDConnectProvider" => providers::tag(world, input),
        "UntagOpenIDConnectProvider" => providers::untag(world, input),
        "ListOpenIDConnectProviderTags" => providers::list_tags(world, input),
        "CreateRole" => roles::create(world, input),
        "GetRole" => roles::get(world, input),
        "ListRoles" => roles::list(world, input),
        "UpdateRole" => roles::update(world, input),
        "UpdateRoleDescription" => roles::update_description(world, input),
        "UpdateAssumeRolePolicy" => roles::update_trust(world, input),
        "PutRolePermissionsBoundary" => roles::set_boundary(world, input, true),
        "DeleteRolePermissionsBoundary" => roles::set_boundary(world, input, false),
        "DeleteRole" => roles::delete(world, input),
        "TagRole" => roles::tag(world, input),
        "UntagRole" => roles::untag(world, input),
        "ListRoleTags" => roles::list_tags(world, input),
        "CreateServiceLinkedRole" => roles::create_linked(world, input),
        "DeleteServiceLinkedRole" => roles::delete_linked(world, input),
        "GetServiceLinkedRoleDeletionStatus" => roles::deletion_status(input),
        "PutRolePolicy" => role_policies::put(world, input),
        "GetRolePolicy" => role_policies::get(world, input),
        "ListRolePolicies" => role_policies::list(world, input),
        "DeleteRolePolicy" => role_policies::delete(world, input),
        "AttachRolePolicy" => role_policies::attach(world, input),
        "DetachRolePolicy" => role_policies::detach(world, input),
        "ListAttachedRolePolicies" => role_policies::list_attached(world, input),
        "CreatePolicy" => policies::create(world, input),
        "GetPolicy" => policies::get(world, input),
        "ListPolicies" => policies::list(world, input),
        "DeletePolicy" => policies::delete(world, input),
        "CreatePolicyVersion" => policies::create_version(world, input),
        "GetPolicyVersion" => policies::get_version(world, input),
        "ListPolicyVersions" => policies::list_versions(world, input),
        "SetDefaultPolicyVersion" => policies::set_default(world, input),
        "DeletePolicyVersion" => policies::delete_version(world, input),
        "ListEntitiesForPolicy" => policies::entities(world, input),
        "TagPolicy" => policies::tag(world, input, false),
        "UntagPolicy" => policies::tag(world, input, true),
        "ListPolicyTags" => policies::list_tags(world, input),
        "CreateInstanceProfile" => profiles::create(world, input),
        "GetInstanceProfile" => profiles::get(world, input),
        "ListInstanceProfiles" => profiles::list(world, input, false),
        "ListInstanceProfilesForRole" => profiles::list(world, input, true),
        "AddRoleToInstanceProfile" => profiles::add_role(world, input),
        "RemoveRoleFromInstanceProfile" => profiles::remove_role(world, input),
        "DeleteInstanceProfile" => profiles::delete(world, input),
        "TagInstanceProfile" => profiles::tag(world, input, false),
        "UntagInstanceProfile" => profiles::tag(world, input, true),
        "ListInstanceProfileTags" => profiles::list_tags(world, input),
        "GetUser" => get_user(world, call),
        "ListAccountAliases" => {
            Ok(map([("AccountAliases", Value::List(Vec::new())), ("IsTruncated", false.into())]))
        }
        _ => Err(call.unknown_operation()),
    }
}

/// `GetUser`: the account's only user is the caller, who can look up only itself.
fn get_user(world: &World, call: &Call) -> ApiResult<Value> {
    let arn = call.caller.arn.as_str();
    let own = arn.rsplit_once(":user/").map(|(_, name)| name);
    match (own, call.input.str("UserName")) {
        (Some(own), wanted) if wanted.is_none_or(|wanted| wanted == own) => {
            let user = map([
                ("Path", "/".into()),
                ("UserName", own.into()),
                ("UserId", "AIDALABLABLABLABLAB00".into()),
                ("Arn", arn.into()),
                ("CreateDate", world.now.into()),
            ]);
            Ok(map([("User", user)]))
        }
        (_, Some(wanted)) => Err(super::errors::no_such_entity(format!(
            "The user with name {wanted} cannot be found."
        ))),
        (None, None) | (Some(_), None) => Err(super::errors::validation(
            "Must specify userName when calling with non-User credentials",
        )),
    }
}
