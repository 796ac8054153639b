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
