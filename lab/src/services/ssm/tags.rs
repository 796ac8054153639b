//! Tags of parameters.

use std::collections::BTreeMap;

use super::errors::{invalid, need};
use super::name::parameter_name;
use super::state::Parameter;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most tags of a parameter (quota).
const MOST: usize = 50;

/// `AddTagsToResource`.
pub(super) fn add(world: &mut World, input: &Value) -> ApiResult<Value> {
    let given = read(input)?;
    let parameter = find(world, input)?;
    let mut after = parameter.tags.clone();
    after.extend(given);
    if after.len() > MOST {
        return Err(too_many());
    }
    parameter.tags = after;
    Ok(Value::Null)
}

/// `RemoveTagsFromResource`.
pub(super) fn remove(world: &mut World, input: &Value) -> ApiResult<Value> {
    let keys = input.strings("TagKeys");
    find(world, input)?.tags.retain(|key, _| !keys.contains(key));
    Ok(Value::Null)
}

/// `ListTagsForResource`.
pub(super) fn list(world: &mut World, input: &Value) -> ApiResult<Value> {
    let tags = find(world, input)?.tags.iter();
    let tags = tags.map(|(k, v)| map([("Key", k.as_str().into()), ("Value", v.as_str().into())]));
    Ok(map([("TagList", Value::List(tags.collect()))]))
}

/// Reads the `Tags` of a call.
pub(super) fn read(input: &Value) -> ApiResult<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for tag in input.list("Tags") {
        let key = tag.str("Key").unwrap_or_default();
        let value = tag.str("Value").unwrap_or_default();
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!(
                "1 validation error detected: the tag '{key}' has a key that is not of 1 to 128 characters or a value of more than 256"
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST { Err(too_many()) } else { Ok(tags) }
}

fn too_many() -> ApiError {
    ApiError::sender("TooManyTagsError", "The Targets parameter includes too many tags.")
}

/// Returns the parameter that a call names; the lab has no other taggable resources here.
fn find<'w>(world: &'w mut World, input: &Value) -> ApiResult<&'w mut Parameter> {
    let (kind, id) = (need(input, "ResourceType")?, need(input, "ResourceId")?);
    const KINDS: [&str; 9] = [
        "Document",
        "ManagedInstance",
        "MaintenanceWindow",
        "Parameter",
        "PatchBaseline",
        "OpsItem",
        "OpsMetadata",
        "Automation",
        "Association",
    ];
    super::errors::one_of("resourceType", kind, &KINDS)?;
    let name = parameter_name(world, id).to_owned();
    let found = world.ssm.parameters.get_mut(&name).filter(|_| kind == "Parameter");
    found.ok_or_else(|| {
        ApiError::sender(
            "InvalidResourceId",
            format!("The resource ID \"{id}\" is not valid. Verify that the ID is correct and try again."),
        )
    })
}
