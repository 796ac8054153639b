//! Security Token Service: sessions, and their credentials.

mod assume;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::services::iam::Role;
use crate::wire::{ApiError, ApiResult, Call, Principal, Service, Value, map};
use crate::world::World;

/// The access key of the account's user, for anyone who uses the lab by hand. It never expires.
pub const ACCESS_KEY: &str = "AKIALABLABLABLABLAB0";

/// The secret key for [`ACCESS_KEY`], which the lab never checks.
pub const SECRET_KEY: &str = "lab/secret/that/opens/nothing/but/a/lab0";

/// The state of this service.
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

/// Returns whether an operation needs no signature.
pub fn allows_anonymous(service: Service, operation: &str) -> bool {
    service == Service::Sts && operation == "AssumeRoleWithWebIdentity"
}

/// Expires every session now.
pub fn expire_sessions(world: &mut World) {
    let now = world.now;
    world.sts.sessions.values_mut().for_each(|session| session.expires = now);
}

/// Answers one call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    match call.operation.as_str() {
        "GetCallerIdentity" => Ok(caller_identity(world, call)),
        "AssumeRole" => assume::role(world, call),
        "AssumeRoleWithWebIdentity" => assume::with_web_identity(world, call),
        "GetAccessKeyInfo" => access_key_info(world, call),
        "GetSessionToken" => session_token(world, call),
        "DecodeAuthorizationMessage" => {
            Err(ApiError::sender("InvalidAuthorizationMessageException", "Message is not valid"))
        }
        _ => Err(ApiError::unknown_operation(call)),
    }
}

fn caller_identity(world: &World, call: &Call) -> Value {
    let arn = call.caller.arn.as_str();
    let user_id = match session_of(arn) {
        Some((role, session)) => {
            let id = world.iam.roles.get(role).map_or("AROA", |role| role.id.as_str());
            format!("{id}:{session}")
        }
        None => "AIDALABLABLABLABLAB00".to_owned(),
    };
    map([
        ("UserId", user_id.into()),
        ("Account", call.caller.account.as_str().into()),
        ("Arn", arn.into()),
    ])
}

/// `GetAccessKeyInfo`: the account of a key. AWS derives it from the key itself; the lab has only one.
fn access_key_info(world: &World, call: &Call) -> ApiResult<Value> {
    let key = call.input.need_str("AccessKeyId")?;
    let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !(16..=128).contains(&key.len())
        || !plain
        || !(key.starts_with("AKIA") || key.starts_with("ASIA"))
    {
        return Err(ApiError::sender(
            "ValidationError",
            format!("Access key {key} does not belong to an AWS account"),
        ));
    }
    Ok(map([("Account", world.account.as_str().into())]))
}

/// `GetSessionToken`: creates a session of a user; sessions of roles are refused.
fn session_token(world: &mut World, call: &Call) -> ApiResult<Value> {
    if session_of(&call.caller.arn).is_some() {
        return Err(ApiError::sender(
            "AccessDenied",
            "Cannot call GetSessionToken with session credentials",
        )
        .status(403));
    }
    let seconds = call.input.int("DurationSeconds").unwrap_or(43_200);
    if !(900..=129_600).contains(&seconds) {
        return Err(ApiError::sender(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 129600"
            ),
        ));
    }
    Ok(map([("Credentials", issue(world, call.caller.clone(), seconds))]))
}

/// Returns the names of role and session in the ARN of an assumed role.
fn session_of(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":assumed-role/")?.1.split_once('/')
}

/// Starts a session of `role` and returns the `Credentials` and `AssumedRoleUser` of the response.
fn start_session(
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
fn issue(world: &mut World, principal: Principal, seconds: i64) -> Value {
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
