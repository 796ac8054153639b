//! Client tokens: a call that is sent again has no second effect.

use sha2::{Digest as _, Sha256};

use super::State;
use crate::wire::{ApiError, ApiResult, Call};

/// The longest token (API model: 128 for launch templates; elsewhere 64, which the lab doesn't tell
/// apart).
const LONGEST: usize = 128;

/// What a client token was used for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Used {
    parameters: String,
    made: Made,
}

/// What a call made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Made {
    /// A version of a launch template.
    Version(String, u64),
    /// Instances.
    Instances(Vec<String>),
}

/// What an earlier call with the same token made. A token used with other parameters is refused
/// (API model: IdempotentParameterMismatch).
pub(super) fn used<'s>(state: &'s State, call: &Call) -> ApiResult<Option<&'s Made>> {
    let Some(token) = call.input.str("ClientToken") else { return Ok(None) };
    if token.chars().count() > LONGEST {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            format!("ClientToken must have at most {LONGEST} characters."),
        ));
    }
    match state.tokens.get(token) {
        Some(used) if used.parameters == fingerprint(call) => Ok(Some(&used.made)),
        Some(_) => Err(ApiError::sender(
            "IdempotentParameterMismatch",
            "The client token was already used with other parameters.",
        )),
        None => Ok(None),
    }
}

/// Remembers what a call made, if it has a token.
pub(super) fn remember(state: &mut State, call: &Call, made: Made) {
    if let Some(token) = call.input.str("ClientToken") {
        let used = Used { parameters: fingerprint(call), made };
        state.tokens.insert(token.to_owned(), used);
    }
}

fn fingerprint(call: &Call) -> String {
    let hash = Sha256::digest(format!("{} {:?}", call.operation, call.input).as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
