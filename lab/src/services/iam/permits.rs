//! Whether a role may do what a call asks for: its policies judged as IAM judges them. An explicit denial
//! wins; without a permission there is none. Users of the account may do everything.

use serde_json::Value as Json;

use super::conditions::{self, Context};
use super::needs::{Need, of_call};
use super::trust::{each, texts};
use super::{Role, policies};
use crate::services::pattern::like;
use crate::wire::{ApiError, ApiResult, Call, Principal, Service};
use crate::world::World;

/// What policies say of one need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Allowed,
    /// Nothing allows it.
    Missing,
    /// A statement denies it.
    Denied,
}

/// Whether the caller may make this call, where the account's policies are enforced
/// (`State::enforced`); otherwise everybody may. The error is the service's own for somebody who may
/// not.
pub(crate) fn permits(world: &mut World, call: &Call) -> ApiResult<()> {
    if !world.iam.enforced {
        return Ok(());
    }
    for need in of_call(world, call) {
        if let Err(why) = judge(world, &call.caller, &call.region, &need) {
            return Err(refusal(call, &need, &why));
        }
    }
    Ok(())
}

/// Whether the caller may do this on this resource, where policies are enforced. The error is what AWS says to
/// somebody who may not.
pub(crate) fn may(
    world: &mut World,
    caller: &Principal,
    action: &str,
    resource: &str,
) -> Result<(), String> {
    if !world.iam.enforced {
        return Ok(());
    }
    let (region, need) = (world.region.clone(), Need::new(action, resource));
    judge(world, caller, &region, &need).map_err(|why| sentence(caller, &need, &why))
}

/// Judges one need of a caller, and remembers the judgement. The error says why not.
fn judge(world: &mut World, caller: &Principal, region: &str, need: &Need) -> Result<(), String> {
    let Some((_, rest)) = caller.arn.split_once(":assumed-role/") else { return Ok(()) };
    let name = rest.split('/').next().unwrap_or_default();
    let role = world.iam.roles.get(name);
    let documents = role.map(|role| documents(world, role)).unwrap_or_default();
    let decision = decide(&documents, need, caller, region);
    let judged = match decision {
        Decision::Allowed => &mut world.iam.judged.allowed,
        Decision::Missing | Decision::Denied => &mut world.iam.judged.denied,
    };
    judged.insert(need.action.clone());
    match decision {
        Decision::Allowed => Ok(()),
        Decision::Missing => {
            Err(format!("because no identity-based policy allows the {} action", need.action))
        }
        Decision::Denied => Err("with an explicit deny in an identity-based policy".to_owned()),
    }
}

/// The policies of a role, its own and those attached to it.
fn documents(world: &World, role: &Role) -> Vec<Json> {
    let attached = role.attached.iter().filter_map(|arn| policies::document(world, arn));
    let all = role.policies.values().cloned().chain(attached);
    all.filter_map(|document| serde_json::from_str(&document).ok()).collect()
}

fn decide(documents: &[Json], need: &Need, caller: &Principal, region: &str) -> Decision {
    let mut context: Context = need.context.clone();
    context.push(("aws:RequestedRegion".to_owned(), region.to_owned()));
    context.push(("aws:PrincipalArn".to_owned(), caller.arn.clone()));
    context.push(("aws:PrincipalAccount".to_owned(), caller.account.clone()));
    context.push(("aws:SecureTransport".to_owned(), "true".to_owned()));
    let statements = || documents.iter().flat_map(|document| each(&document["Statement"]));
    let says = |effect: &str| {
        let mut about = statements().filter(|statement| statement["Effect"] == effect);
        about.any(|statement| applies(statement, need, &context))
    };
    if says("Deny") {
        Decision::Denied
    } else if says("Allow") {
        Decision::Allowed
    } else {
        Decision::Missing
    }
}

fn applies(statement: &Json, need: &Need, context: &Context) -> bool {
    let action = need.action.to_ascii_lowercase();
    let named = |key: &str| texts(&statement[key]).any(|a| like(&a.to_ascii_lowercase(), &action));
    let resources = |key: &str| texts(&statement[key]).any(|r| like(r, &need.resource));
    let action =
        if statement["NotAction"].is_null() { named("Action") } else { !named("NotAction") };
    let resource = if statement["NotResource"].is_null() {
        resources("Resource")
    } else {
        !resources("NotResource")
    };
    action && resource && conditions::hold(&statement["Condition"], context)
}

fn sentence(caller: &Principal, need: &Need, why: &str) -> String {
    let Need { action, resource, .. } = need;
    format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} {why}",
        caller.arn
    )
}

/// The refusal as the service of the call gives it. Auto Scaling doesn't say what is missing to launch (public
/// reports: ansible-collections/community.aws#831, aws-samples/ec2-auto-scaling-instance-refresh-sample#7).
fn refusal(call: &Call, need: &Need, why: &str) -> ApiError {
    if let Some(template) = &need.launch {
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
