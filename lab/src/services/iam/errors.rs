//! The errors that IAM's operations share, and the checks that return them.

use super::state::Tags;
use crate::wire::{ApiError, ApiResult, Value};

/// The most tags on one entity (quota).
const TAGS: usize = 50;

/// `ValidationError`.
pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationError", message)
}

/// `InvalidInput`.
pub(super) fn invalid_input(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidInput", message)
}

/// `EntityAlreadyExists`.
pub(super) fn already_exists(message: impl Into<String>) -> ApiError {
    ApiError::sender("EntityAlreadyExists", message).status(409)
}

/// `NoSuchEntity`.
pub(super) fn no_such_entity(message: impl Into<String>) -> ApiError {
    ApiError::sender("NoSuchEntity", message).status(404)
}

/// `DeleteConflict`.
pub(super) fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::sender("DeleteConflict", message).status(409)
}

/// `LimitExceeded` for a quota, by its name.
pub(super) fn quota(name: &str, most: usize) -> ApiError {
    limit(format!("Cannot exceed quota for {name}: {most}"))
}

/// `LimitExceeded`.
pub(super) fn limit(message: impl Into<String>) -> ApiError {
    ApiError::sender("LimitExceeded", message).status(409)
}

/// Returns the name of a new entity: 1 to `longest` letters, digits or `_+=,.@-` (API model).
pub(super) fn new_name<'i>(input: &'i Value, key: &str, longest: usize) -> ApiResult<&'i str> {
    let name = input.need_str(key)?;
    let member = key.replacen(&key[..1], &key[..1].to_lowercase(), 1);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.chars().count() > longest {
        return Err(validation(format!(
            "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must have length between 1 and {longest}"
        )));
    }
    if !name.chars().all(plain) {
        return Err(validation(format!(
            "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
        )));
    }
    Ok(name)
}

/// Returns the path of a new entity, by default `/`.
pub(super) fn path(input: &Value) -> ApiResult<String> {
    let path = input.str("Path").unwrap_or("/");
    let visible = |c: char| ('!'..='\u{7f}').contains(&c);
    let good = path.starts_with('/') && path.ends_with('/') && path.chars().all(visible);
    if good && path.len() <= 512 {
        return Ok(path.to_owned());
    }
    Err(validation(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ))
}

/// Reads the `Tags` of a call.
pub(super) fn tags(input: &Value) -> ApiResult<Tags> {
    let mut tags = Tags::new();
    for tag in input.list("Tags") {
        let (key, value) = (tag.need_str("Key")?, tag.str("Value").unwrap_or_default());
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(validation(format!(
                "1 validation error detected: the tag '{key}' must have a key of 1 to 128 characters and a value of at most 256"
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid_input("Tag keys beginning with \"aws:\" are reserved."));
        }
        // Tag keys are case-insensitive.
        if tags.keys().any(|known: &String| known.eq_ignore_ascii_case(key)) {
            return Err(invalid_input(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    check_number(&tags)?;
    Ok(tags)
}

/// Adds the tags of a call to an entity's tags.
pub(super) fn add_tags(own: &mut Tags, input: &Value) -> ApiResult<()> {
    let mut after = own.clone();
    after.extend(tags(input)?);
    check_number(&after)?;
    *own = after;
    Ok(())
}

fn check_number(tags: &Tags) -> ApiResult<()> {
    if tags.len() <= TAGS {
        return Ok(());
    }
    Err(limit(format!("The number of tags has reached the maximum limit of {TAGS}.")))
}
