//! Elastic Load Balancing v2.

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

/// The state of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// a
    Initial,
    /// b
    Healthy,
    /// c
    Unhealthy,
    /// d
    Unused,
    /// e
    Draining,
    /// f
    Unavailable,
}

/// Registers.
pub fn register(_world: &mut World, _target_group: &str, _instance: &str, _port: Option<u16>) {}
/// Deregisters.
pub fn deregister(_world: &mut World, _target_group: &str, _instance: &str) {}
/// State.
pub fn target_state(_world: &World, _target_group: &str, _instance: &str) -> Option<TargetState> {
    None
}
