//! The errors that any call of a service may meet, whatever it asks for.

use crate::wire::ApiError;

/// The refusal of somebody who may not do this (each service's "Common errors"), or of `code`.
pub(super) fn refused(service: &str, code: Option<&str>, status: Option<u16>) -> ApiError {
    let Some(code) = code else {
        let code = match service {
            "ec2" => "UnauthorizedOperation",
            "ssm" | "ecr" | "monitoring" => "AccessDeniedException",
            "registry" => "DENIED",
            _ => "AccessDenied",
        };
        // The JSON protocol's services answer 400 to everything that is the caller's doing.
        let usual = if matches!(service, "ssm" | "ecr") { 400 } else { 403 };
        let message = "You are not authorized to perform this operation.";
        return ApiError::sender(code, message).status(status.unwrap_or(usual));
    };
    let status = status.unwrap_or(400);
    match status {
        500.. => ApiError::receiver(code, "An internal error has occurred. Please try again."),
        _ => ApiError::sender(code, format!("The request was refused: {code}.")),
    }
    .status(status)
}

/// The service's own throttling error. Codes and statuses: AWS-FACTS (`Throttling` "Rate exceeded" is
/// common for Auto Scaling, ELBv2 and Parameter Store have `ThrottlingException`, EC2 has
/// `RequestLimitExceeded` with 503); for the rest, the services' "Common errors".
pub(super) fn throttled(service: &str) -> ApiError {
    match service {
        "ec2" => ApiError::receiver("RequestLimitExceeded", "Request limit exceeded.").status(503),
        "elasticloadbalancing" | "ssm" | "ecr" => {
            ApiError::sender("ThrottlingException", "Rate exceeded")
        }
        "registry" => ApiError::sender("TOOMANYREQUESTS", "Rate exceeded").status(429),
        "github" | "site" => ApiError::sender("TooManyRequests", "Too many requests").status(429),
        _ => ApiError::sender("Throttling", "Rate exceeded"),
    }
}
