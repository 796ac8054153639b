//! Previews of lifecycle policies: what a policy would expire, without doing so.

use super::super::image_id::TagStatus;
use super::super::request::{repository, response_for, settings_mut};
use super::policy::{self, no_policy};
use super::repository_lifecycle::Preview;
use super::select;
use crate::services::ecr::errors::{invalid, not_found};
use crate::services::paging;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{World, later};

pub(in crate::services::ecr) fn start(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = repository(world, input)?;
    let lifecycle = world.ecr.settings.get(name).map(|settings| &settings.lifecycle);
    if lifecycle.and_then(|l| l.preview.as_ref()).is_some_and(|p| p.ready > world.now) {
        return Err(ApiError::sender(
            "LifecyclePolicyPreviewInProgressException",
            "The previous lifecycle policy preview request has not completed. Wait and try again.",
        ));
    }
    let own = lifecycle.and_then(|lifecycle| lifecycle.policy.as_ref());
    let text = match (input.str("lifecyclePolicyText"), own) {
        (Some(text), _) => text.to_owned(),
        (None, Some(own)) => own.text.clone(),
        (None, None) => return Err(no_policy(world, name)),
    };
    let rules = policy::read(&text, world.ecr.quotas.lifecycle_rules)?;
    let results = select::expired(repository, &rules, world.now);
    let ready = later(world.now, world.params.lifecycle_preview);
    let (name, settings) = settings_mut(world, input)?;
    settings.lifecycle.preview = Some(Preview { text: text.clone(), ready, results });
    Ok(response_for(world, name).with("lifecyclePolicyText", text).with("status", "IN_PROGRESS"))
}

pub(in crate::services::ecr) fn get(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = repository(world, input)?;
    let found = world.ecr.settings.get(name);
    let preview = found.and_then(|settings| settings.lifecycle.preview.as_ref());
    let preview = preview.ok_or_else(|| {
        let what = "Lifecycle policy preview";
        not_found("LifecyclePolicyPreviewNotFoundException", what, world, name)
    })?;
    let head = response_for(world, name).with("lifecyclePolicyText", preview.text.as_str());
    if preview.ready > world.now {
        return Ok(head.with("status", "IN_PROGRESS"));
    }
    let wanted = TagStatus::of(input.get("filter"))?;
    let ids = input.list("imageIds");
    let named = |digest: &str, tags: &[&str]| {
        ids.is_empty()
            || ids.iter().any(|id| {
                id.str("imageDigest") == Some(digest)
                    || id.str("imageTag").is_some_and(|tag| tags.contains(&tag))
            })
    };
    let results = preview.results.iter().filter_map(|expired| {
        let tags: Vec<&str> = repository.tags_of(&expired.digest).collect();
        let chosen = wanted.matches(!tags.is_empty()) && named(&expired.digest, &tags);
        let image = repository.images.get(&expired.digest).filter(|_| chosen)?;
        Some(map([
            ("imageTags", Value::List(tags.into_iter().map(Value::from).collect())),
            ("imageDigest", expired.digest.as_str().into()),
            ("imagePushedAt", image.pushed.into()),
            ("action", map([("type", "EXPIRE".into())])),
            ("appliedRulePriority", expired.rule.into()),
        ]))
    });
    let size = input.int("maxResults").unwrap_or(100);
    if !(1..=100).contains(&size) {
        return Err(invalid(format!("maxResults must be between 1 and 100, not {size}")));
    }
    let code = "InvalidParameterException";
    let (page, next) =
        paging::page(results.collect(), input.str("nextToken"), size as usize, code)?;
    let total = preview.results.len() as i64;
    Ok(head
        .with("status", "COMPLETE")
        .with("nextToken", next)
        .with("previewResults", Value::List(page))
        .with("summary", map([("expiringImageTotalCount", total.into())])))
}
