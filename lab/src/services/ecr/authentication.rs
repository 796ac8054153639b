//! Authentication at the registry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::wire::Principal;
use crate::world::World;

/// Why a request to the registry is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthError {
    /// It has no token, or an unknown one.
    InvalidToken,
    /// Its token has expired.
    ExpiredToken,
}

/// Checks an `Authorization` header: Basic, with the user `AWS` and a token as password (user guide,
/// "Private registry authentication"). Returns the principal that requested the token.
pub(crate) fn authenticate(
    world: &World,
    authorization: Option<&str>,
) -> Result<Principal, AuthError> {
    let (scheme, encoded) =
        authorization.and_then(|header| header.split_once(' ')).ok_or(AuthError::InvalidToken)?;
    let pair = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair =
        pair.filter(|_| scheme.eq_ignore_ascii_case("basic")).ok_or(AuthError::InvalidToken)?;
    let password = pair.strip_prefix("AWS:").ok_or(AuthError::InvalidToken)?;
    match world.ecr.tokens.get(password) {
        None => Err(AuthError::InvalidToken),
        Some(token) if token.expires <= world.now => Err(AuthError::ExpiredToken),
        Some(token) => Ok(token.caller.clone()),
    }
}
