//! The errors that the operations share.

use crate::wire::ApiError;

pub(super) fn not_found(name: &str) -> ApiError {
    invalid(format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"))
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationError", message)
}
