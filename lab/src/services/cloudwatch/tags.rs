//! Tags of alarms.

use super::state::Tags;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most tags of a resource (API model).
const MOST: usize = 50;

/// TagResource.
pub(super) fn add(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = resource(world, input)?;
    let given = read(input.list("Tags"))?;
    let own = world.cloudwatch.tags.entry(arn).or_default();
    let mut after = own.clone();
    after.extend(given);
    if after.len() > MOST {
        return Err(invalid(format!("A resource can have at most {MOST} tags.")));
    }
    *own = after;
    Ok(map([]))
}

/// UntagResource.
pub(super) fn remove(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (arn, keys) = (resource(world, input)?, input.strings("TagKeys"));
    if let Some(tags) = world.cloudwatch.tags.get_mut(&arn) {
        tags.retain(|key, _| !keys.contains(key));
    }
    Ok(map([]))
}

/// ListTagsForResource.
pub(super) fn list(world: &mut World, input: &Value) -> ApiResult<Value> {
    let arn = resource(world, input)?;
    let tags = world.cloudwatch.tags.get(&arn).into_iter().flatten();
    let tags = tags.map(|(k, v)| map([("Key", k.as_str().into()), ("Value", v.as_str().into())]));
    Ok(map([("Tags", Value::List(tags.collect()))]))
}

/// Reads a list of tags.
pub(super) fn read(list: &[Value]) -> ApiResult<Tags> {
    let mut tags = Tags::new();
    for tag in list {
        let key = tag.str("Key").unwrap_or_default();
        let value = tag.str("Value").unwrap_or_default();
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!(
                "The tag '{key}' has no key or exceeds the maximum length."
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!(
                "The tag key '{key}' begins with 'aws:', which is reserved."
            )));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST {
        return Err(invalid(format!("A resource can have at most {MOST} tags.")));
    }
    Ok(tags)
}

/// Returns the ARN of the alarm that a call names.
fn resource(world: &World, input: &Value) -> ApiResult<String> {
    let arn = input.str("ResourceARN").unwrap_or_default();
    if !arn.starts_with("arn:aws:cloudwatch:") {
        return Err(invalid(format!("The value {arn} for parameter ResourceARN is invalid.")));
    }
    if world.cloudwatch.alarms.values().any(|alarm| alarm.arn(&world.region, &world.account) == arn)
    {
        return Ok(arn.to_owned());
    }
    Err(ApiError::sender("ResourceNotFoundException", format!("Unknown resource: {arn}"))
        .status(404))
}

fn invalid(message: String) -> ApiError {
    ApiError::sender("InvalidParameterValue", message)
}
