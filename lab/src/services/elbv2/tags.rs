//! Tags of load balancers, listeners, rules and target groups.

use std::collections::BTreeMap;

use super::errors::{
    listener_not_found, load_balancer_not_found, rule_not_found, target_group_not_found, validation,
};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most tags of a resource (user guide).
const MOST: usize = 50;
/// The most resources in one DescribeTags call (API model).
const RESOURCES: usize = 20;

/// Tags by key.
type Tags = BTreeMap<String, String>;

/// `AddTags`: to all of the resources or none.
pub(super) fn add(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arns = resources(world, input)?;
    let given = read(input.list("Tags"))?;
    for arn in &arns {
        let known = world.elbv2.tags.get(arn).into_iter().flatten().map(|(key, _)| key);
        let mut keys: Vec<&String> = known.chain(given.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() > MOST {
            return Err(ApiError::sender(
                "TooManyTags",
                "The maximum number of tags for a resource has been reached",
            ));
        }
    }
    for arn in arns {
        store(world, &arn, given.clone());
    }
    Ok(map([]))
}

/// `RemoveTags`.
pub(super) fn remove(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arns = resources(world, input)?;
    let keys = input.strings("TagKeys");
    for arn in arns {
        if let Some(tags) = world.elbv2.tags.get_mut(&arn) {
            tags.retain(|key, _| !keys.contains(key));
        }
    }
    Ok(map([]))
}

/// `DescribeTags`.
pub(super) fn describe(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arns = resources(world, input)?;
    if arns.len() > RESOURCES {
        return Err(validation(format!(
            "At most {RESOURCES} resources can be described in one call"
        )));
    }
    let described = arns.iter().map(|arn| {
        let tags = world.elbv2.tags.get(arn).into_iter().flatten();
        let tags =
            tags.map(|(k, v)| map([("Key", k.as_str().into()), ("Value", v.as_str().into())]));
        let tags: Vec<Value> = tags.collect();
        map([("ResourceArn", arn.as_str().into()), ("Tags", tags.into())])
    });
    Ok(map([("TagDescriptions", Value::List(described.collect()))]))
}

/// Reads a list of tags. Errors: DuplicateTagKeys, TooManyTags, ValidationError.
pub(super) fn read(list: &[Value]) -> ApiResult<Tags> {
    let mut tags = Tags::new();
    for tag in list {
        let key = tag.need_str("Key")?;
        let value = tag.str("Value").unwrap_or_default();
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(validation(format!(
                "1 validation error detected: the tag '{key}' must have a key of 1 to 128 characters and a value of at most 256"
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(validation(format!("Tag key '{key}' has the reserved prefix 'aws:'")));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(ApiError::sender(
                "DuplicateTagKeys",
                format!("Tag key was specified more than once: {key}"),
            ));
        }
    }
    if tags.len() > MOST {
        return Err(ApiError::sender(
            "TooManyTags",
            "The maximum number of tags for a resource has been reached",
        ));
    }
    Ok(tags)
}

/// Adds tags to a resource, overwriting existing ones.
pub(super) fn store(world: &mut World, arn: &str, tags: Tags) {
    if !tags.is_empty() {
        world.elbv2.tags.entry(arn.to_owned()).or_default().extend(tags);
    }
}

/// Returns the ARNs of the resources that a call names, all of which must exist.
fn resources(world: &World, input: &Value) -> ApiResult<Vec<String>> {
    let arns = input.strings("ResourceArns");
    if arns.is_empty() {
        return Err(validation("At least one resource ARN must be specified"));
    }
    match arns.iter().find(|arn| !world.elbv2.has(arn)) {
        None => Ok(arns),
        Some(arn) if arn.contains(":listener-rule/") => Err(rule_not_found(arn)),
        Some(arn) if arn.contains(":listener/") => Err(listener_not_found(arn)),
        Some(arn) if arn.contains(":targetgroup/") => Err(target_group_not_found(arn)),
        Some(arn) if arn.contains(":loadbalancer/") => Err(load_balancer_not_found(arn)),
        Some(arn) => Err(validation(format!("'{arn}' is not a valid ARN"))),
    }
}
