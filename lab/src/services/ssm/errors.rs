//! The errors that several operations share.

use crate::wire::{ApiError, ApiResult, Value};

/// Returns the text of a required member.
pub(super) fn need<'i>(input: &'i Value, key: &str) -> ApiResult<&'i str> {
    let member = key.replacen(&key[..1], &key[..1].to_lowercase(), 1);
    input.str(key).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// Requires a member to be one of a few values.
pub(super) fn one_of(member: &str, value: &str, good: &[&str]) -> ApiResult<()> {
    if good.contains(&value) {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
        good.join(", ")
    )))
}

/// `ValidationException`.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationException", message)
}

/// `ParameterNotFound`.
pub(super) fn not_found(name: &str) -> ApiError {
    ApiError::sender("ParameterNotFound", format!("Parameter {name} not found."))
}

/// `ParameterVersionNotFound`.
pub(super) fn no_version(version: &str, name: &str) -> ApiError {
    ApiError::sender(
        "ParameterVersionNotFound",
        format!(
            "Systems Manager could not find version {version} of {name}. Verify the version and try again."
        ),
    )
}
