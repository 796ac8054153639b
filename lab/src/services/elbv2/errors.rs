//! The errors that several operations share. Codes are those of the API model; messages in the
//! style of the service.

use crate::wire::ApiError;

/// A parameter that the service refuses to read.
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

/// A value that can't be an ARN is a validation error, before anything is looked up.
fn not_found(code: &str, what: &str, name: &str) -> ApiError {
    if name.contains('/') && !name.starts_with("arn:") {
        return validation(format!("'{name}' is not a valid {what} ARN"));
    }
    let mut plural = format!("{what}s");
    plural[..1].make_ascii_uppercase();
    ApiError::sender(code, format!("{plural} '[{name}]' not found"))
}

/// The error for a name that a load balancer or a target group may not have; none for a good one.
pub(super) fn named_badly(what: &str, name: &str) -> Option<ApiError> {
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
