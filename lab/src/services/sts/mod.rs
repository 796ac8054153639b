//! Security Token Service: sessions, and their credentials.

mod assume;
pub(crate) mod session;
pub(crate) mod state;

use crate::wire::{ApiError, ApiResult, Call, Service, Value, map};
use crate::world::World;
use session::{issue, session_of};

pub use session::{ACCESS_KEY, CredentialError, SECRET_KEY, authenticate, expire_sessions};
pub use state::State;

/// Returns whether an operation needs no signature.
pub fn allows_anonymous(service: Service, operation: &str) -> bool {
    service == Service::Sts && operation == "AssumeRoleWithWebIdentity"
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
        _ => Err(call.unknown_operation()),
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
