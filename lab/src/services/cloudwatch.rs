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

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// a
    Ok,
    /// b
    Alarm,
    /// c
    InsufficientData,
}
impl AlarmState {
    /// name
    pub fn as_str(self) -> &'static str {
        match self {
            AlarmState::Ok => "OK",
            AlarmState::Alarm => "ALARM",
            AlarmState::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}
/// The alarm's state.
pub fn alarm_state(_world: &World, _name: &str) -> Option<AlarmState> {
    None
}
