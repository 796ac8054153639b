//! The errors that the operations share.

use crate::wire::ApiError;

pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationError", message)
}
