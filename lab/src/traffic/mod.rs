//! Simulated users: how many requests come, where the load balancer sends them, and how they end.

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

/// Answers a user's request to the load balancer.
pub fn answer(
    _world: &mut World,
    _request: &http::Request<bytes::Bytes>,
) -> http::Response<bytes::Bytes> {
    let mut response = http::Response::new(bytes::Bytes::new());
    *response.status_mut() = http::StatusCode::NOT_FOUND;
    response
}
