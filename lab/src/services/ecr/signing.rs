//! Managed signing: AWS Signer signs what is pushed, with the permissions of whoever pushed it (user guide, "Managed
//! signing"). A failure shows only in the signing status, since the push is done by then (API reference,
//! ImageSigningStatus). The lab leaves out the signatures themselves, which AWS attaches to the image.

use super::errors::{need, need_list, validation};
use super::request::{repository, response_for};
use super::signatures::{SigningRule, SigningStatus};
use crate::services::iam;
use crate::services::registry::matches_wildcard;
use crate::wire::{ApiError, ApiResult, Principal, Value, map};
use crate::world::World;

pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    // At most ten rules (user guide).
    let rules = need_list(input.get("signingConfiguration"), "rules", 10)?;
    let rule = |rule: &Value| {
        let profile = need(rule, "signingProfileArn")?;
        if !profile.contains(":/signing-profiles/") {
            return Err(validation(format!("'{profile}' is not the ARN of a signing profile")));
        }
        let filters = rule.list("repositoryFilters").iter();
        let filters = filters.map(|filter| need(filter, "filter").map(str::to_owned));
        Ok(SigningRule { profile: profile.to_owned(), filters: filters.collect::<ApiResult<_>>()? })
    };
    let rules = rules.iter().map(rule).collect::<ApiResult<Vec<SigningRule>>>()?;
    world.ecr.signing.rules = Some(rules);
    Ok(map([("signingConfiguration", configuration(world)?)]))
}

pub(super) fn get(world: &World) -> ApiResult<Value> {
    let configuration = configuration(world)?;
    let registry = world.account.as_str().into();
    Ok(map([("registryId", registry), ("signingConfiguration", configuration)]))
}

pub(super) fn delete(world: &mut World) -> ApiResult<Value> {
    let deleted = get(world)?;
    world.ecr.signing.rules = None;
    Ok(deleted)
}

fn configuration(world: &World) -> ApiResult<Value> {
    let rules = world.ecr.signing.rules.as_ref().ok_or_else(|| {
        ApiError::sender(
            "SigningConfigurationNotFoundException",
            format!("The registry with id '{}' has no signing configuration", world.account),
        )
    })?;
    let rules = rules.iter().map(|rule| {
        let filters = rule.filters.iter().map(|filter| {
            map([("filter", filter.as_str().into()), ("filterType", "WILDCARD_MATCH".into())])
        });
        map([
            ("signingProfileArn", rule.profile.as_str().into()),
            ("repositoryFilters", Value::List(filters.collect())),
        ])
    });
    Ok(map([("rules", Value::List(rules.collect()))]))
}

/// Signs an image that `caller` pushed, with every profile whose rule applies.
pub(crate) fn sign(world: &mut World, caller: &Principal, name: &str, digest: &str) {
    let applies = |rule: &&SigningRule| {
        rule.filters.is_empty() || rule.filters.iter().any(|f| matches_wildcard(f, name))
    };
    let rules = world.ecr.signing.rules.iter().flatten().filter(applies);
    let profiles: Vec<String> = rules.map(|rule| rule.profile.clone()).collect();
    let statuses: Vec<SigningStatus> = profiles
        .into_iter()
        .map(|profile| {
            let failure =
                iam::authorize_action(world, caller, "signer:SignPayload", &profile).err();
            SigningStatus { profile, failure }
        })
        .collect();
    if !statuses.is_empty() {
        world.ecr.signing.statuses.insert((name.to_owned(), digest.to_owned()), statuses);
    }
}

/// `DescribeImageSigningStatus`.
pub(super) fn status(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, found) = repository(world, input)?;
    let id = input.get("imageId");
    let reference = id.str("imageDigest").or(id.str("imageTag")).unwrap_or_default();
    let (digest, _) = found.image(reference).ok_or_else(|| {
        ApiError::sender(
            "ImageNotFoundException",
            format!("The image with imageId {{imageDigest:'{reference}'}} does not exist within the repository with name '{name}'"),
        )
    })?;
    let key = (name.to_owned(), digest.to_owned());
    let statuses = world.ecr.signing.statuses.get(&key).into_iter().flatten().map(|status| {
        let failed = status.failure.as_ref();
        map([
            ("signingProfileArn", status.profile.as_str().into()),
            ("status", if failed.is_some() { "FAILED" } else { "COMPLETE" }.into()),
            // The code is a guess.
            ("failureCode", failed.map(|_| "AccessDeniedException".to_owned()).into()),
            ("failureReason", failed.cloned().into()),
        ])
    });
    Ok(response_for(world, name)
        .with("imageId", id.clone())
        .with("signingStatuses", Value::List(statuses.collect())))
}

/// Returns the digests of images in the repository `name` that some profile failed to sign.
pub fn failed_signatures(world: &World, name: &str) -> Vec<String> {
    let statuses = world.ecr.signing.statuses.iter();
    let failed = statuses.filter(|((repository, _), statuses)| {
        repository == name && statuses.iter().any(|status| status.failure.is_some())
    });
    failed.map(|((_, digest), _)| digest.clone()).collect()
}
