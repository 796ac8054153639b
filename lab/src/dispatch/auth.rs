//! Authentication. The access key and the session token must be known and not expired. The signature is
//! not computed, and the signing time is not checked, because the lab's time may run faster.

use super::route::Scope;
use crate::services::sts;
use crate::services::sts::session::CredentialError;
use crate::wire::{ApiError, ApiResult, Principal, Protocol, Service};
use crate::world::World;

/// Returns the caller of a signed request, or the refusal as its protocol words it. The query form is
/// documented (STS, "Common errors"); the codes of the other protocols are those that SDKs list for
/// expired and unknown credentials.
pub(super) fn caller(
    world: &World,
    protocol: Protocol,
    scope: &Scope<'_>,
    session_token: &str,
) -> ApiResult<Principal> {
    let global = matches!(scope.service, Service::Iam | Service::Sts);
    if !global && scope.region != world.region {
        return Err(other_region(world, protocol, scope.region));
    }
    sts::authenticate(world, scope.access_key, session_token).map_err(|refusal| match refusal {
        CredentialError::Unknown => unknown(protocol),
        CredentialError::Expired => expired(protocol),
    })
}

fn unknown(protocol: Protocol) -> ApiError {
    let message = "The security token included in the request is invalid.";
    match protocol {
        Protocol::Query => ApiError::sender("InvalidClientTokenId", message).status(403),
        Protocol::Ec2 => ApiError::sender(
            "AuthFailure",
            "AWS was not able to validate the provided access credentials",
        )
        .status(401),
        Protocol::Json(_) | Protocol::Cbor => {
            ApiError::sender("UnrecognizedClientException", message)
        }
    }
}

fn expired(protocol: Protocol) -> ApiError {
    let message = "The security token included in the request is expired";
    match protocol {
        Protocol::Query => ApiError::sender("ExpiredToken", message).status(403),
        Protocol::Ec2 => ApiError::sender("RequestExpired", "Request has expired."),
        Protocol::Json(_) | Protocol::Cbor => ApiError::sender("ExpiredTokenException", message),
    }
}

/// Returns the error for a Region other than the lab's. The account has one Region enabled, and AWS
/// refuses credentials in a disabled Region as if they were unknown. The lab also says why.
fn other_region(world: &World, protocol: Protocol, region: &str) -> ApiError {
    let mut error = unknown(protocol);
    let only = &world.region;
    error.message.push_str(&format!(
        " (The lab has only the Region {only}, and this call is signed for {region}.)"
    ));
    error
}

/// Returns the refusal of an unsigned call that needs a signature.
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
