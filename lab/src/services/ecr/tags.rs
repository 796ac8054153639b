//! The resource tags of repositories, which are unrelated to the tags of images.

use std::collections::BTreeMap;

use super::errors::{invalid_parameter, need, unknown_repository};
use super::request;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most tags on one resource.
const LIMIT: usize = 50;

pub(super) fn tag(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = repository_of_arn(world, input)?;
    let mut tags = world.ecr.settings.get(&name).map(|s| s.tags.clone()).unwrap_or_default();
    tags.extend(read(input, "tags")?);
    check_count(&tags)?;
    world.ecr.settings.entry(name).or_default().tags = tags;
    Ok(Value::Null)
}

pub(super) fn untag(world: &mut World, input: &Value) -> ApiResult<Value> {
    let name = repository_of_arn(world, input)?;
    let keys = input.strings("tagKeys");
    if let Some(settings) = world.ecr.settings.get_mut(&name) {
        settings.tags.retain(|key, _| !keys.contains(key));
    }
    Ok(Value::Null)
}

pub(super) fn list(world: &World, input: &Value) -> ApiResult<Value> {
    let name = repository_of_arn(world, input)?;
    let tags = world.ecr.settings.get(&name).map(|settings| &settings.tags);
    let described = tags.into_iter().flatten();
    let described =
        described.map(|(key, value)| map([("Key", key.into()), ("Value", value.into())]));
    Ok(map([("tags", Value::List(described.collect()))]))
}

/// Reads a list of tags.
pub(super) fn read(input: &Value, key: &str) -> ApiResult<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for tag in input.list(key) {
        let (key, value) = (need(tag, "Key")?, tag.str("Value").unwrap_or_default());
        if key.is_empty() || key.len() > 128 || value.len() > 256 || key.starts_with("aws:") {
            return Err(ApiError::sender(
                "InvalidTagParameterException",
                "An invalid parameter has been specified. Tag keys can have a maximum character length \
                 of 128 characters, and tag values can have a maximum length of 256 characters.",
            ));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    check_count(&tags)?;
    Ok(tags)
}

fn check_count(tags: &BTreeMap<String, String>) -> ApiResult<()> {
    if tags.len() > LIMIT {
        return Err(ApiError::sender(
            "TooManyTagsException",
            "The list of tags on the repository is over the limit. The maximum number of tags that can \
             be applied to a repository is 50.",
        ));
    }
    Ok(())
}

/// Returns the name of the repository whose ARN the input has.
fn repository_of_arn(world: &World, input: &Value) -> ApiResult<String> {
    let arn = need(input, "resourceArn")?;
    let prefix = request::arn(world, "");
    let name =
        arn.strip_prefix(&prefix).ok_or_else(|| invalid_parameter("resourceArn", "Invalid ARN"))?;
    match world.registry.ecr.repositories.contains_key(name) {
        true => Ok(name.to_owned()),
        false => Err(unknown_repository(name, &world.account)),
    }
}
