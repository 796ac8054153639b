//! Who calls. The access key and the session token must be known and alive; the signature itself is
//! not computed, nor is the caller's clock compared, because the lab's may run faster.

use crate::services::sts::{self, Refusal};
use crate::world::World;

use super::protocol::Protocol;
use super::{ApiError, ApiResult, Principal};

/// The caller behind a signed request, or the refusal as its protocol words it. The query form is
/// documented (STS, "Common errors"); the codes of the other protocols are those that SDKs list for
/// expired and unknown credentials.
pub(super) fn caller(
    world: &World,
    protocol: Protocol,
    access_key: &str,
    session_token: &str,
) -> ApiResult<Principal> {
    sts::authenticate(world, access_key, session_token).map_err(|refusal| {
        match (refusal, protocol) {
            (Refusal::Unknown, Protocol::Query) => ApiError::sender(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            )
            .status(403),
            (Refusal::Unknown, Protocol::Ec2) => ApiError::sender(
                "AuthFailure",
                "AWS was not able to validate the provided access credentials",
            )
            .status(401),
            (Refusal::Unknown, Protocol::Json(_) | Protocol::Cbor) => ApiError::sender(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ),
            (Refusal::Expired, Protocol::Query) => ApiError::sender(
                "ExpiredToken",
                "The security token included in the request is expired",
            )
            .status(403),
            (Refusal::Expired, Protocol::Ec2) => {
                ApiError::sender("RequestExpired", "Request has expired.")
            }
            (Refusal::Expired, Protocol::Json(_) | Protocol::Cbor) => ApiError::sender(
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ),
        }
    })
}

/// The refusal of an unsigned call that needs a signature.
pub(super) fn missing(protocol: Protocol) -> ApiError {
    match protocol {
        Protocol::Query => ApiError::sender(
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        )
        .status(403),
        Protocol::Ec2 => ApiError::sender(
            "MissingParameter",
            "The request must contain the parameter AWSAccessKeyId",
        ),
        Protocol::Json(_) | Protocol::Cbor => ApiError::sender(
            "MissingAuthenticationTokenException",
            "Request is missing Authentication Token",
        ),
    }
}
