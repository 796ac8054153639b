//! Simulated users: how many requests come, where the load balancer sends them, and how they end.

pub mod program;

use crate::world::World;

/// What the traffic remembers.
#[derive(Debug, Clone, Default)]
pub struct State {}

/// What happens by itself here.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {}

/// Lets `event` happen.
pub fn happen(_world: &mut World, event: &Event) {
    match *event {}
}

/// Sends and counts the requests of the interval from `world.now` to `until`, in which nothing else changes.
pub fn flow(_world: &mut World, _until: jiff::Timestamp) {}
