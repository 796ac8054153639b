//! Tags of EC2 resources.

use super::errors::{KINDS, ResourceKind, invalid_value, missing_parameter};
use super::listing::{Filters, paginate};
use super::state::{State, Tags};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most tags of a resource (user guide).
const MOST: usize = 50;

/// Formats the `tagSet` of a resource.
pub(super) fn write(state: &State, id: &str) -> Value {
    let tags = state.tags_of(id).into_iter().flatten();
    let written = tags
        .map(|(key, value)| map([("key", key.as_str().into()), ("value", value.as_str().into())]));
    Value::List(written.collect())
}

/// Reads the tags for the new resource from a call that creates one.
pub(super) fn read_specifications(input: &Value, kind: ResourceKind) -> ApiResult<Tags> {
    let mut tags = Tags::new();
    for specification in input.list("TagSpecification") {
        let given = specification.str("ResourceType").unwrap_or_default();
        if given != kind.resource_type {
            return Err(invalid_value(format!(
                "'{given}' is not a valid taggable resource type for this operation."
            )));
        }
        tags.extend(read(specification.list("Tag"))?);
    }
    check_number(&tags)?;
    Ok(tags)
}

/// Stores the tags of a new resource.
pub(super) fn put(state: &mut State, id: &str, tags: Tags) {
    if !tags.is_empty() {
        state.tags.insert(id.to_owned(), tags);
    }
}

/// `CreateTags`.
pub(super) fn create(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = resources(&world.ec2, input)?;
    if input.list("Tag").is_empty() {
        return Err(missing_parameter("Tag"));
    }
    let given = read(input.list("Tag"))?;
    for id in &ids {
        let mut after = world.ec2.tags_of(id).cloned().unwrap_or_default();
        after.extend(given.clone());
        check_number(&after)?;
    }
    for id in ids {
        own(&mut world.ec2, &id).extend(given.clone());
    }
    Ok(success())
}

/// `DeleteTags`: deletes tags by key, or by key and value if a value is given; without any key, all tags.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let ids = resources(&world.ec2, input)?;
    let given = input.list("Tag");
    for id in ids {
        own(&mut world.ec2, &id).retain(|key, value| {
            let named = |tag: &Value| {
                tag.str("Key") == Some(key) && tag.str("Value").is_none_or(|wanted| wanted == value)
            };
            !given.is_empty() && !given.iter().any(named)
        });
    }
    Ok(success())
}

/// `DescribeTags`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let filters = Filters::read(input, &["key", "value", "resource-id", "resource-type"])?;
    let of_instances = world.ec2.instances.iter().map(|(id, instance)| (id, &instance.tags));
    let mut all: Vec<_> = of_instances.chain(&world.ec2.tags).collect();
    all.sort_unstable_by_key(|(id, _)| *id);
    let mut found = Vec::new();
    for (id, tags) in all {
        let kind = kind_of(id).map_or("", |kind| kind.resource_type);
        for (key, value) in tags {
            let field = |name: &str| {
                vec![match name {
                    "key" => key.clone(),
                    "value" => value.clone(),
                    "resource-id" => id.clone(),
                    _ => kind.to_owned(),
                }]
            };
            if filters.matches(&world.ec2, id, field) {
                found.push(map([
                    ("key", key.as_str().into()),
                    ("resourceId", id.as_str().into()),
                    ("resourceType", kind.into()),
                    ("value", value.as_str().into()),
                ]));
            }
        }
    }
    let (items, next) = paginate(input, found)?;
    Ok(map([("tagSet", items.into()), ("nextToken", next.into())]))
}

/// Returns the response of operations without a result.
pub(super) fn success() -> Value {
    map([("return", true.into())])
}

fn own<'s>(state: &'s mut State, id: &str) -> &'s mut Tags {
    match state.instances.get_mut(id) {
        Some(instance) => &mut instance.tags,
        None => state.tags.entry(id.to_owned()).or_default(),
    }
}

fn kind_of(id: &str) -> Option<ResourceKind> {
    let (prefix, _) = id.rsplit_once('-')?;
    KINDS.iter().find(|kind| kind.prefix == prefix).copied()
}

/// Returns the ids of the resources that a call names, all of which must exist.
fn resources(state: &State, input: &Value) -> ApiResult<Vec<String>> {
    let ids = input.strings("ResourceId");
    if ids.is_empty() {
        return Err(missing_parameter("resourceIdSet"));
    }
    for id in &ids {
        let Some(kind) = kind_of(id) else {
            return Err(ApiError::sender("InvalidID", format!("The ID '{id}' is not valid")));
        };
        if !state.has(kind, id) {
            return Err(kind.not_found(id));
        }
    }
    Ok(ids)
}

fn read(list: &[Value]) -> ApiResult<Tags> {
    let mut tags = Tags::new();
    for tag in list {
        let key = tag.str("Key").unwrap_or_default();
        let value = tag.str("Value").unwrap_or_default();
        if key.is_empty() {
            return Err(invalid_value("Tag key cannot be null or empty"));
        }
        if key.chars().count() > 127 {
            // EC2's limit in the API model, one less than elsewhere.
            return Err(invalid_value("Tag key exceeds the maximum length of 127 characters"));
        }
        if value.chars().count() > 256 {
            return Err(invalid_value("Tag value exceeds the maximum length of 256 characters"));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid_value(format!(
                "Tag keys starting with 'aws:' are reserved for internal use: {key}"
            )));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(tags)
}

fn check_number(tags: &Tags) -> ApiResult<()> {
    let own = tags.keys().filter(|key| !key.starts_with("aws:")).count();
    if own <= MOST {
        return Ok(());
    }
    Err(ApiError::sender("TagLimitExceeded", "You have reached the maximum number of tags"))
}
