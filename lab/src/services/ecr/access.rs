//! Logging in to the registry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::wire::Principal;
use crate::world::World;

/// Why a request to the registry is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// It shows no token, or none of ours.
    Nobody,
    /// It shows a token that has ended.
    Expired,
}

/// Judges an `Authorization` header: Basic, the user `AWS`, and a token as password (user guide,
/// "Private registry authentication"). Gives who asked for the token.
pub(crate) fn authorise(world: &World, authorization: Option<&str>) -> Result<Principal, Denied> {
    let (scheme, encoded) =
        authorization.and_then(|header| header.split_once(' ')).ok_or(Denied::Nobody)?;
    let pair = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = pair.filter(|_| scheme.eq_ignore_ascii_case("basic")).ok_or(Denied::Nobody)?;
    let password = pair.strip_prefix("AWS:").ok_or(Denied::Nobody)?;
    match world.ecr.tokens.get(password) {
        None => Err(Denied::Nobody),
        Some(token) if token.expires <= world.now => Err(Denied::Expired),
        Some(token) => Ok(token.caller.clone()),
    }
}
