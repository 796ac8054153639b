//! Client tokens: a repeated call has no further effect.

use sha2::{Digest as _, Sha256};

use super::client_token::{CallResult, TokenUse};
use super::state::State;
use crate::wire::{ApiError, ApiResult, Call};

/// The maximum length of a token. The API model has 128 for launch templates and 64 elsewhere; the lab
/// allows 128 everywhere.
const LONGEST: usize = 128;

/// Returns the result of an earlier call with the same token. A token that was used with different
/// parameters is refused (API model: IdempotentParameterMismatch).
pub(super) fn earlier_result<'s>(
    state: &'s State,
    call: &Call,
) -> ApiResult<Option<&'s CallResult>> {
    let Some(token) = call.input.str("ClientToken") else { return Ok(None) };
    if token.chars().count() > LONGEST {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            format!("ClientToken must have at most {LONGEST} characters."),
        ));
    }
    match state.client_tokens.get(token) {
        Some(used) if used.parameters == fingerprint(call) => Ok(Some(&used.made)),
        Some(_) => Err(ApiError::sender(
            "IdempotentParameterMismatch",
            "The client token was already used with different parameters.",
        )),
        None => Ok(None),
    }
}

/// Stores the result of a call under its token, if it has one.
pub(super) fn store_result(state: &mut State, call: &Call, made: CallResult) {
    if let Some(token) = call.input.str("ClientToken") {
        let used = TokenUse { parameters: fingerprint(call), made };
        state.client_tokens.insert(token.to_owned(), used);
    }
}

fn fingerprint(call: &Call) -> String {
    let hash = Sha256::digest(format!("{} {:?}", call.operation, call.input).as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
