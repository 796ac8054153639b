//! The errors that several operations share. The codes are those of the API model; the messages follow the
//! service's style.

use crate::wire::ApiError;

/// `ValidationError`: an invalid parameter.
pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationError", message)
}

/// `LoadBalancerNotFound`.
pub(super) fn load_balancer_not_found(name: &str) -> ApiError {
    not_found("LoadBalancerNotFound", "load balancer", name)
}

/// `ListenerNotFound`.
pub(super) fn listener_not_found(arn: &str) -> ApiError {
    not_found("ListenerNotFound", "listener", arn)
}

/// `RuleNotFound`.
pub(super) fn rule_not_found(arn: &str) -> ApiError {
    not_found("RuleNotFound", "rule", arn)
}

/// `TargetGroupNotFound`.
pub(super) fn target_group_not_found(name: &str) -> ApiError {
    not_found("TargetGroupNotFound", "target group", name)
}

/// Returns the error for a resource that doesn't exist; a value that can't be an ARN is a validation error.
fn not_found(code: &str, what: &str, name: &str) -> ApiError {
    if name.contains('/') && !name.starts_with("arn:") {
        return validation(format!("'{name}' is not a valid {what} ARN"));
    }
    let mut plural = format!("{what}s");
    plural[..1].make_ascii_uppercase();
    ApiError::sender(code, format!("{plural} '[{name}]' not found"))
}

/// Returns the error for an invalid name of a load balancer or target group; none for a valid one.
pub(super) fn name_error(what: &str, name: &str) -> Option<ApiError> {
    let capital = what.replacen(&what[..1], &what[..1].to_uppercase(), 1);
    if name.is_empty() {
        Some(validation(format!("{capital} name cannot be empty")))
    } else if name.chars().count() > 32 {
        Some(validation(format!("{capital} name '{name}' cannot be longer than '32' characters")))
    } else if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        Some(validation(format!(
            "{capital} name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)"
        )))
    } else if name.starts_with('-') || name.ends_with('-') {
        Some(validation(format!("{capital} name '{name}' cannot begin or end with '-'")))
    } else {
        None
    }
}
