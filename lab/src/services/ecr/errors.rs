//! The errors of ECR's API. Messages are those that users quote or, where none is known, the sentence in the API
//! model's documentation.

use crate::services::registry::PushError;
use crate::wire::{ApiError, ApiResult, Value};
use crate::world::World;

/// Returns a required text parameter.
pub(super) fn need<'i>(input: &'i Value, key: &str) -> ApiResult<&'i str> {
    input.str(key).ok_or_else(|| invalid_parameter(key, "Member must not be null"))
}

/// Returns a required list of 1 to `most` texts or structures.
pub(super) fn need_list<'i>(input: &'i Value, key: &str, most: usize) -> ApiResult<&'i [Value]> {
    let items = input.list(key);
    if items.is_empty() {
        return Err(invalid_parameter(key, "Member must have length greater than or equal to 1"));
    }
    if items.len() > most {
        let rule = format!("Member must have length less than or equal to {most}");
        return Err(invalid_parameter(key, &rule));
    }
    Ok(items)
}

/// Returns a value of an enumeration, or `default` if it is absent.
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
            Err(invalid_parameter(key, &rule))
        }
    }
}

/// Returns the error for a parameter that violates a constraint.
pub(super) fn invalid_parameter(key: &str, rule: &str) -> ApiError {
    invalid(format!("Invalid parameter at '{key}' failed to satisfy constraint: '{rule}'"))
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterException", message)
}

/// Returns the error that newer operations use instead of InvalidParameterException.
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

/// Returns the error for something that a repository doesn't have; `what` begins the sentence.
pub(super) fn not_found(code: &str, what: &str, world: &World, name: &str) -> ApiError {
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

/// Formats an image ID as error messages do.
pub(super) fn image_id_text(id: &Value) -> String {
    format!(
        "{{imageDigest:'{}', imageTag:'{}'}}",
        id.str("imageDigest").unwrap_or("null"),
        id.str("imageTag").unwrap_or("null")
    )
}

/// Returns the error for a refused push.
pub(super) fn push_error(world: &World, error: PushError) -> ApiError {
    match error {
        PushError::UnknownRepository(name) => unknown_repository(&name, &world.account),
        // Whatever is wrong with the manifest (as users report it).
        PushError::Invalid(_) => invalid_parameter("ImageManifest", "Invalid JSON syntax"),
        PushError::TooLarge(_) => invalid_parameter(
            "imageManifest",
            "Member must have length less than or equal to 4194304",
        ),
        PushError::InvalidTag(tag) => invalid_parameter(
            "imageTag",
            &format!("'{tag}' must satisfy regular expression '{TAG}'"),
        ),
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
        PushError::ImmutableTag { repository, tag } => ApiError::sender(
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

/// The pattern of a tag (distribution specification, but with ECR's maximum length).
const TAG: &str = "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}";
