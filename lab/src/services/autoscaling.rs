//! EC2 Auto Scaling.

use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::World;

/// What this service remembers.
#[derive(Debug, Clone, Default)]
pub struct State {}

/// Answers one call.
pub fn call(_world: &mut World, call: &Call) -> ApiResult<Value> {
    Err(ApiError::unknown_operation(call))
}

/// What happens by itself here.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {}

/// Lets `event` happen.
pub fn happen(_world: &mut World, event: &Event) {
    match *event {}
}
