//! CloudWatch metrics.

use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::World;

/// What this service remembers.
#[derive(Debug, Clone, Default)]
pub struct State {}

/// Answers one call.
pub fn call(_world: &mut World, call: &Call) -> ApiResult<Value> {
    Err(ApiError::unknown_operation(call))
}
