//! How ECR's API says no. Wordings are those that users quote; where none is known, the sentence of the
//! API model's documentation.

use crate::services::registry::PushError;
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::World;

/// A parameter that must be there, as text.
pub(super) fn need<'i>(input: &'i Value, key: &str) -> ApiResult<&'i str> {
    input.str(key).ok_or_else(|| broken(key, "Member must not be null"))
}

/// A list of texts or structures that must have 1 to `most` elements.
pub(super) fn need_list<'i>(input: &'i Value, key: &str, most: usize) -> ApiResult<&'i [Value]> {
    let items = input.list(key);
    if items.is_empty() {
        return Err(broken(key, "Member must have length greater than or equal to 1"));
    }
    if items.len() > most {
        let rule = format!("Member must have length less than or equal to {most}");
        return Err(broken(key, &rule));
    }
    Ok(items)
}

/// A value of an enumeration, or its default where it is absent.
pub(super) fn one_of<'i>(
    input: &'i Value,
    key: &str,
    allowed: &[&str],
    default: &'i str,
) -> ApiResult<&'i str> {
    match input.str(key) {
        None => Ok(default),
        Some(value) if allowed.contains(&value) => Ok(value),
        Some(_) => {
            let rule = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
            Err(broken(key, &rule))
        }
    }
}

/// A parameter that breaks a rule.
pub(super) fn broken(key: &str, rule: &str) -> ApiError {
    invalid(format!("Invalid parameter at '{key}' failed to satisfy constraint: '{rule}'"))
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterException", message)
}

/// The error of the newer operations.
pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationException", message)
}

pub(super) fn limit(message: impl Into<String>) -> ApiError {
    ApiError::sender("LimitExceededException", message)
}

pub(super) fn unknown_repository(name: &str, registry: &str) -> ApiError {
    ApiError::sender(
        "RepositoryNotFoundException",
        format!(
            "The repository with name '{name}' does not exist in the registry with id '{registry}'"
        ),
    )
}

/// An error about something that a repository lacks: `what` begins the sentence.
pub(super) fn lacking(code: &str, what: &str, world: &World, name: &str) -> ApiError {
    ApiError::sender(
        code,
        format!(
            "{what} does not exist for the repository with name '{name}' in the registry with id '{}'",
            world.account
        ),
    )
}

pub(super) fn unknown_image(world: &World, name: &str, id: &Value) -> ApiError {
    ApiError::sender(
        "ImageNotFoundException",
        format!(
            "The image with imageId {} does not exist within the repository with name '{name}' in the \
             registry with id '{}'",
            image_id_text(id),
            world.account
        ),
    )
}

/// An image's identifier as messages have it.
pub(super) fn image_id_text(id: &Value) -> String {
    format!(
        "{{imageDigest:'{}', imageTag:'{}'}}",
        id.str("imageDigest").unwrap_or("null"),
        id.str("imageTag").unwrap_or("null")
    )
}

/// A refused push.
pub(super) fn push(world: &World, error: PushError) -> ApiError {
    match error {
        PushError::UnknownRepository(name) => unknown_repository(&name, &world.account),
        // Whatever is wrong with it (as users report it).
        PushError::Invalid(_) => broken("ImageManifest", "Invalid JSON syntax"),
        PushError::TooLarge(_) => {
            broken("imageManifest", "Member must have length less than or equal to 4194304")
        }
        PushError::InvalidTag(tag) => {
            broken("imageTag", &format!("'{tag}' must satisfy regular expression '{TAG}'"))
        }
        PushError::MissingBlobs(digests) => ApiError::sender(
            "LayersNotFoundException",
            format!("Layers with digests '{}' do not exist", digests.join(", ")),
        ),
        PushError::MissingManifests(digests) => ApiError::sender(
            "ReferencedImagesNotFoundException",
            format!(
                "Images with digests '{}' required for pushing image do not exist",
                digests.join(", ")
            ),
        ),
        PushError::TagTaken { repository, tag } => ApiError::sender(
            "ImageTagAlreadyExistsException",
            format!(
                "The image tag '{tag}' already exists in the '{repository}' repository and cannot be \
                 overwritten because the tag is immutable."
            ),
        ),
        PushError::Quota(what) => limit(format!(
            "The operation did not succeed because it would have exceeded a service limit: {what}"
        )),
    }
}

/// The form of a tag (distribution specification, at ECR's length).
const TAG: &str = "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}";
