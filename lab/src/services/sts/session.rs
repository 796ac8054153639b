//! Sessions: their credentials, and whom they belong to.

use jiff::SignedDuration;

use super::state::Session;
use crate::services::iam::state::Role;
use crate::wire::{Principal, Value, map};
use crate::world::World;

/// The access key of the account's user, for anyone who uses the lab by hand. It never expires.
pub const ACCESS_KEY: &str = "AKIALABLABLABLABLAB0";

/// The secret key for [`ACCESS_KEY`], which the lab never checks.
pub const SECRET_KEY: &str = "lab/secret/that/opens/nothing/but/a/lab0";

/// Why credentials were rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialError {
    /// The access key, or the session token with it, is unknown.
    Unknown,
    /// The session has expired.
    Expired,
}

/// Returns the principal to whom an access key (with its session token, for a session) belongs.
pub fn authenticate(
    world: &World,
    access_key: &str,
    token: &str,
) -> Result<Principal, CredentialError> {
    if access_key == ACCESS_KEY {
        let arn = format!("arn:aws:iam::{}:user/lab", world.account);
        return Ok(Principal { account: world.account.clone(), arn });
    }
    match world.sts.sessions.get(access_key) {
        Some(session) if session.token != token => Err(CredentialError::Unknown),
        Some(session) if session.expires <= world.now => Err(CredentialError::Expired),
        Some(session) => Ok(session.principal.clone()),
        None => Err(CredentialError::Unknown),
    }
}

/// Expires every session now.
pub fn expire_sessions(world: &mut World) {
    let now = world.now;
    world.sts.sessions.values_mut().for_each(|session| session.expires = now);
}

/// Returns the names of role and session in the ARN of an assumed role.
pub(super) fn session_of(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":assumed-role/")?.1.split_once('/')
}

/// Starts a session of `role` and returns the `Credentials` and `AssumedRoleUser` of the response.
pub(super) fn start_session(
    world: &mut World,
    role: &Role,
    session_name: &str,
    seconds: i64,
) -> (Value, Value) {
    let account = world.account.clone();
    let arn = format!("arn:aws:sts::{account}:assumed-role/{}/{session_name}", role.name);
    let used = (world.now, world.region.clone());
    if let Some(role) = world.iam.roles.get_mut(&role.name) {
        role.last_used = Some(used);
    }
    let credentials = issue(world, Principal { account, arn: arn.clone() }, seconds);
    let user =
        map([("AssumedRoleId", format!("{}:{session_name}", role.id).into()), ("Arn", arn.into())]);
    (credentials, user)
}

/// Issues temporary credentials.
pub(super) fn issue(world: &mut World, principal: Principal, seconds: i64) -> Value {
    let access_key = format!("ASIA{:016X}", world.ids.bits());
    let secret = format!("{:016x}/{:016x}/lab000", world.ids.bits(), world.ids.bits());
    let token = format!("lab-session-{}", world.ids.uuid());
    let expires = world.now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(world.now);
    let session = Session { token: token.clone(), principal, expires };
    world.sts.sessions.insert(access_key.clone(), session);
    map([
        ("AccessKeyId", access_key.into()),
        ("SecretAccessKey", secret.into()),
        ("SessionToken", token.into()),
        ("Expiration", expires.into()),
    ])
}
