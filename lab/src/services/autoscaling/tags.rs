//! Tags of groups.

use std::collections::{BTreeMap, BTreeSet};

use super::errors::{invalid, not_found};
use super::group::{Group, Tag};
use super::request::max_records;
use crate::services::paging::page;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// Reads a list of tags of one group.
pub(super) fn read(tags: &[Value]) -> ApiResult<Vec<(String, Tag)>> {
    tags.iter()
        .map(|tag| {
            let key = tag.need_str("Key")?;
            let value = tag.str("Value").unwrap_or_default();
            if key.starts_with("aws:") {
                return Err(invalid(format!(
                    "The tag key {key} begins with the reserved prefix aws:"
                )));
            }
            if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
                return Err(invalid(format!(
                    "The tag {key} is empty or exceeds the maximum length"
                )));
            }
            let propagates = tag.bool("PropagateAtLaunch").unwrap_or(false);
            Ok((key.to_owned(), Tag { value: value.to_owned(), propagates }))
        })
        .collect()
}

/// The most tags of a group (quota), and in one call (API model).
const QUOTA: usize = 50;
const PER_CALL: usize = 25;

/// Reads the tags of a new group.
pub(super) fn first(tags: &[Value]) -> ApiResult<BTreeMap<String, Tag>> {
    let tags: BTreeMap<String, Tag> = read(tags)?.into_iter().collect();
    if tags.len() > QUOTA { Err(too_many()) } else { Ok(tags) }
}

fn too_many() -> ApiError {
    ApiError::sender("LimitExceeded", format!("A group can have at most {QUOTA} tags."))
}

/// `CreateOrUpdateTags`: all of them, or none if one is invalid.
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let mut after: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    if input.list("Tags").len() > PER_CALL {
        return Err(invalid(format!("At most {PER_CALL} tags can be given in one call")));
    }
    for tag in input.list("Tags") {
        let name = tag.need_str("ResourceId")?;
        if tag.str("ResourceType").is_some_and(|kind| kind != "auto-scaling-group") {
            return Err(invalid("ResourceType must be auto-scaling-group"));
        }
        read(std::slice::from_ref(tag))?;
        let group = world.autoscaling.groups.get(name).ok_or_else(|| not_found(name))?;
        let keys = after
            .entry(name.to_owned())
            .or_insert_with(|| group.tags.keys().map(String::as_str).collect());
        keys.insert(tag.str("Key").unwrap_or_default());
    }
    if after.values().any(|keys| keys.len() > QUOTA) {
        return Err(too_many());
    }
    for tag in input.list("Tags") {
        let name = tag.need_str("ResourceId")?;
        let read = read(std::slice::from_ref(tag))?;
        let group = world.autoscaling.groups.get_mut(name).ok_or_else(|| not_found(name))?;
        group.tags.extend(read);
    }
    Ok(Value::Null)
}

/// `DeleteTags`.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    for tag in input.list("Tags") {
        let (name, key) = (tag.need_str("ResourceId")?, tag.need_str("Key")?);
        let group = world.autoscaling.groups.get_mut(name).ok_or_else(|| not_found(name))?;
        group.tags.remove(key);
    }
    Ok(Value::Null)
}

/// `DescribeTags`, filtered by `auto-scaling-group`, `key`, `value` and `propagate-at-launch`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    for filter in input.list("Filters") {
        let name = filter.str("Name").unwrap_or_default();
        if !["auto-scaling-group", "key", "value", "propagate-at-launch"].contains(&name) {
            return Err(invalid(format!(
                "Filter type {name} is not correct. Allowed Filter types are: auto-scaling-group key value propagate-at-launch"
            )));
        }
    }
    let found = world
        .autoscaling
        .groups
        .values()
        .flat_map(|group| group.tags.iter().map(move |(key, tag)| (group, key, tag)))
        .filter(|(group, key, tag)| {
            input.list("Filters").iter().all(|filter| {
                let values = filter.strings("Values");
                match filter.str("Name") {
                    Some("auto-scaling-group") => values.contains(&group.name),
                    Some("key") => values.contains(key),
                    Some("value") => values.contains(&tag.value),
                    Some("propagate-at-launch") => values.contains(&tag.propagates.to_string()),
                    _ => true,
                }
            })
        })
        .map(|(group, key, tag)| to_value(group, key, tag))
        .collect();
    let size = max_records(input, 50, 100)?;
    let (items, next) = page(found, input.str("NextToken"), size, "InvalidNextToken")?;
    Ok(map([("Tags", items.into()), ("NextToken", next.into())]))
}

/// A `TagDescription` of the API.
pub(super) fn to_value(group: &Group, key: &str, tag: &Tag) -> Value {
    map([
        ("ResourceId", group.name.as_str().into()),
        ("ResourceType", "auto-scaling-group".into()),
        ("Key", key.into()),
        ("Value", tag.value.as_str().into()),
        ("PropagateAtLaunch", tag.propagates.into()),
    ])
}
