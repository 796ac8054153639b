//! Security Token Service.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::wire::{ApiError, ApiResult, Call, Principal, Service, Value};
use crate::world::World;

/// The access key of the account's user, for whoever drives the lab by hand. It never expires.
pub const ACCESS_KEY: &str = "AKIALABLABLABLABLAB0";

/// What this service remembers.
#[derive(Debug, Clone, Default)]
pub struct State {
    sessions: BTreeMap<String, Session>,
}

#[derive(Debug, Clone)]
struct Session {
    token: String,
    principal: Principal,
    expires: Timestamp,
}

/// Why credentials are not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The access key, or the session token that belongs to it, is not known.
    Unknown,
    /// The session has ended.
    Expired,
}

/// Who an access key (and its session token, if it is a session's) belongs to.
pub fn authenticate(world: &World, access_key: &str, token: &str) -> Result<Principal, Refusal> {
    if access_key == ACCESS_KEY {
        let arn = format!("arn:aws:iam::{}:user/lab", world.account);
        return Ok(Principal { account: world.account.clone(), arn });
    }
    match world.sts.sessions.get(access_key) {
        Some(session) if session.token != token => Err(Refusal::Unknown),
        Some(session) if session.expires <= world.now => Err(Refusal::Expired),
        Some(session) => Ok(session.principal.clone()),
        None => Err(Refusal::Unknown),
    }
}

/// Whether an operation is answered without a signature.
pub fn is_open(service: Service, operation: &str) -> bool {
    service == Service::Sts && operation == "AssumeRoleWithWebIdentity"
}

/// Answers one call.
pub fn call(_world: &mut World, call: &Call) -> ApiResult<Value> {
    Err(ApiError::unknown_operation(call))
}
