//! Errors that any call of a service may meet.

use crate::wire::ApiError;

/// Returns the service's access-denied error ("Common errors" of each service), or an error with `code`;
/// with its usual message, or with `message`.
pub(super) fn refusal_error(
    service: &str,
    code: Option<&str>,
    status: Option<u16>,
    message: Option<&str>,
) -> ApiError {
    let refusal = standard_error(service, code, status);
    match message {
        Some(message) => ApiError { message: message.to_owned(), ..refusal },
        None => refusal,
    }
}

fn standard_error(service: &str, code: Option<&str>, status: Option<u16>) -> ApiError {
    let Some(code) = code else {
        let code = match service {
            "ec2" => "UnauthorizedOperation",
            "ssm" | "ecr" | "monitoring" => "AccessDeniedException",
            "registry" => "DENIED",
            _ => "AccessDenied",
        };
        // Services with the JSON protocol answer 400 to every client error.
        let usual = if matches!(service, "ssm" | "ecr") { 400 } else { 403 };
        let message = "You are not authorized to perform this operation.";
        return ApiError::sender(code, message).status(status.unwrap_or(usual));
    };
    let status = status.unwrap_or_else(|| usual_status(code));
    match status {
        500.. => ApiError::receiver(code, "An internal error has occurred. Please try again."),
        _ => ApiError::sender(code, format!("The request was refused: {code}.")),
    }
    .status(status)
}

/// HTTP statuses of error codes, where they are not 400 (API models; the services' "Common errors";
/// EC2's list of error codes).
const STATUSES: &[(&str, u16)] = &[
    ("AccessDenied", 403),
    ("ExpiredToken", 403),
    ("IDPRejectedClaim", 403),
    ("IncompleteSignature", 403),
    ("InsufficientInstanceCapacity", 500),
    ("InternalError", 500),
    ("InternalFailure", 500),
    ("InternalServerError", 500),
    ("InternalServiceError", 500),
    ("InternalServiceFault", 500),
    ("InvalidClientTokenId", 403),
    ("MalformedQueryString", 404),
    ("OptInRequired", 403),
    ("RegionDisabledException", 403),
    ("RequestLimitExceeded", 503),
    ("ResourceContention", 500),
    ("ServerException", 500),
    ("ServiceUnavailable", 503),
    ("SignatureDoesNotMatch", 403),
    ("UnauthorizedOperation", 403),
    ("Unavailable", 503),
];

fn usual_status(code: &str) -> u16 {
    STATUSES.iter().find(|(named, _)| *named == code).map_or(400, |(_, status)| *status)
}

/// Returns the service's throttling error. Auto Scaling commonly answers `Throttling` "Rate exceeded",
/// ELBv2 and Parameter Store have `ThrottlingException`, and EC2 has `RequestLimitExceeded` with 503;
/// the others are from the services' "Common errors".
pub(super) fn throttling_error(service: &str) -> ApiError {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_brings_its_status_and_a_message_its_words() {
        let refused = |code, status, message| {
            let error = refusal_error("autoscaling", Some(code), status, message);
            (error.status, error.message)
        };
        let internal = "An internal error has occurred. Please try again.".to_owned();
        assert_eq!(refused("ResourceContention", None, None), (500, internal.clone()));
        assert_eq!(refused("ServiceUnavailable", None, None), (503, internal));
        assert_eq!(refused("ResourceContention", Some(400), None).0, 400);
        let words = "Couldn't retrieve verification key from your identity provider";
        assert_eq!(refused("InvalidIdentityToken", None, Some(words)), (400, words.to_owned()));
    }
}
