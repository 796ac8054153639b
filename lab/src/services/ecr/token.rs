//! An authorization token as data.

use jiff::Timestamp;

use crate::wire::Principal;

/// What a password is good for.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// When it expires.
    pub(super) expires: Timestamp,
    /// The principal whose permissions it has (API reference, GetAuthorizationToken).
    pub(super) caller: Principal,
}
