//! Decides whether a role may make a call, by evaluating its policies as IAM does: an explicit deny wins, and
//! what no statement allows is denied. Users of the account may do everything.

use serde_json::Value as Json;

use super::conditions::{self, Context};
use super::elements::{elements, strings};
use super::policies;
use super::required_permissions::{RequiredPermission, required_permissions};
use super::state::Role;
use crate::services::pattern::matches;
use crate::wire::{ApiError, ApiResult, Call, Principal, Service};
use crate::world::World;

/// The result of evaluating policies for one permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PolicyResult {
    Allowed,
    /// No statement allows it.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

/// Checks whether the caller may make this call. Everybody may if policies are not enforced
/// (`State::enforced`). The error has the form that the called service gives it.
pub(crate) fn authorize_call(world: &mut World, call: &Call) -> ApiResult<()> {
    if !world.iam.enforced {
        return Ok(());
    }
    for need in required_permissions(world, call) {
        if let Err(why) = check_permission(world, &call.caller, &call.region, &need) {
            return Err(denial_error(call, &need, &why));
        }
    }
    Ok(())
}

/// Checks whether the caller may perform an action on a resource. Everybody may if policies are not enforced.
/// The error is AWS's message.
pub(crate) fn authorize_action(
    world: &mut World,
    caller: &Principal,
    action: &str,
    resource: &str,
) -> Result<(), String> {
    if !world.iam.enforced {
        return Ok(());
    }
    let (region, need) = (world.region.clone(), RequiredPermission::new(action, resource));
    check_permission(world, caller, &region, &need).map_err(|why| sentence(caller, &need, &why))
}

/// Evaluates one permission for a caller and records the result. The error says why it is denied.
fn check_permission(
    world: &mut World,
    caller: &Principal,
    region: &str,
    need: &RequiredPermission,
) -> Result<(), String> {
    let Some((_, rest)) = caller.arn.split_once(":assumed-role/") else { return Ok(()) };
    let name = rest.split('/').next().unwrap_or_default();
    let role = world.iam.roles.get(name);
    let documents = role.map(|role| documents(world, role)).unwrap_or_default();
    let decision = evaluate(&documents, need, caller, region);
    let judged = match decision {
        PolicyResult::Allowed => &mut world.iam.checked_actions.allowed,
        PolicyResult::ImplicitDeny | PolicyResult::ExplicitDeny => {
            &mut world.iam.checked_actions.denied
        }
    };
    judged.insert(need.action.clone());
    match decision {
        PolicyResult::Allowed => Ok(()),
        PolicyResult::ImplicitDeny => {
            Err(format!("because no identity-based policy allows the {} action", need.action))
        }
        PolicyResult::ExplicitDeny => {
            Err("with an explicit deny in an identity-based policy".to_owned())
        }
    }
}

/// Returns a role's policies, inline and attached.
fn documents(world: &World, role: &Role) -> Vec<Json> {
    let attached = role.attached.iter().filter_map(|arn| policies::document(world, arn));
    let all = role.policies.values().cloned().chain(attached);
    all.filter_map(|document| serde_json::from_str(&document).ok()).collect()
}

fn evaluate(
    documents: &[Json],
    need: &RequiredPermission,
    caller: &Principal,
    region: &str,
) -> PolicyResult {
    let mut context: Context = need.context.clone();
    context.push(("aws:RequestedRegion".to_owned(), region.to_owned()));
    context.push(("aws:PrincipalArn".to_owned(), caller.arn.clone()));
    context.push(("aws:PrincipalAccount".to_owned(), caller.account.clone()));
    context.push(("aws:SecureTransport".to_owned(), "true".to_owned()));
    let statements = || documents.iter().flat_map(|document| elements(&document["Statement"]));
    let says = |effect: &str| {
        let mut about = statements().filter(|statement| statement["Effect"] == effect);
        about.any(|statement| applies(statement, need, &context))
    };
    if says("Deny") {
        PolicyResult::ExplicitDeny
    } else if says("Allow") {
        PolicyResult::Allowed
    } else {
        PolicyResult::ImplicitDeny
    }
}

fn applies(statement: &Json, need: &RequiredPermission, context: &Context) -> bool {
    let action = need.action.to_ascii_lowercase();
    let named =
        |key: &str| strings(&statement[key]).any(|a| matches(&a.to_ascii_lowercase(), &action));
    let resources = |key: &str| strings(&statement[key]).any(|r| matches(r, &need.resource));
    let action =
        if statement["NotAction"].is_null() { named("Action") } else { !named("NotAction") };
    let resource = if statement["NotResource"].is_null() {
        resources("Resource")
    } else {
        !resources("NotResource")
    };
    action && resource && conditions::all_match(&statement["Condition"], context)
}

fn sentence(caller: &Principal, need: &RequiredPermission, why: &str) -> String {
    let RequiredPermission { action, resource, .. } = need;
    format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} {why}",
        caller.arn
    )
}

/// Returns the error in the form of the called service. Auto Scaling doesn't say which launch permission is missing
/// (public reports: ansible-collections/community.aws#831, aws-samples/ec2-auto-scaling-instance-refresh-sample#7).
fn denial_error(call: &Call, need: &RequiredPermission, why: &str) -> ApiError {
    if let Some(template) = &need.launch_template {
        let message = format!("You are not authorized to use launch template: {template}");
        return ApiError::sender("AccessDenied", message).status(403);
    }
    let message = sentence(&call.caller, need, why);
    match call.service {
        Service::Ssm | Service::Ecr => ApiError::sender("AccessDeniedException", message),
        Service::Ec2 => ApiError::sender(
            "UnauthorizedOperation",
            format!("You are not authorized to perform this operation. {message}"),
        )
        .status(403),
        _ => ApiError::sender("AccessDenied", message).status(403),
    }
}
