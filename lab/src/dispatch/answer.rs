//! Requests: each is answered, or refused by an injected fault, and recorded.

use bytes::Bytes;
use jiff::Timestamp;

use super::refuse::refuse;
use super::serve::serve;
use crate::faults::Throttling;
use crate::wire::{ApiError, Operation};
use crate::world::World;

impl World {
    /// Answers one HTTP request that arrives at `now`.
    pub fn handle(
        &mut self,
        request: &http::Request<Bytes>,
        now: Timestamp,
    ) -> http::Response<Bytes> {
        self.advance(now);
        self.answer(request)
    }

    /// Answers one HTTP request that arrives at the current time.
    pub fn answer(&mut self, request: &http::Request<Bytes>) -> http::Response<Bytes> {
        if let Some(error) = throttling_error(self, request) {
            return self.refuse(request, &error);
        }
        self.note_request(request);
        let response = serve(self, request);
        self.note_response(&response);
        response
    }

    /// Refuses one HTTP request with `error`, whatever it asks for, and without any effect.
    pub fn refuse(
        &mut self,
        request: &http::Request<Bytes>,
        error: &ApiError,
    ) -> http::Response<Bytes> {
        self.note_request(request);
        let response = refuse(self, request, error);
        self.note_response(&response);
        response
    }

    fn note_request(&mut self, request: &http::Request<Bytes>) {
        self.history.record(&format!("{} {} {}", self.now, request.method(), request.uri()));
        self.history.record_bytes(request.body());
    }

    fn note_response(&mut self, response: &http::Response<Bytes>) {
        self.history.record(response.status().as_str());
        self.history.record_bytes(response.body());
    }
}

/// Returns the refusal of a request that exceeds AWS's rates, if it does.
fn throttling_error(world: &mut World, request: &http::Request<Bytes>) -> Option<ApiError> {
    if world.faults.throttling == Throttling::Off {
        return None;
    }
    let asked = Operation::of(request);
    world.faults.throttling_error(&world.params.rates, &asked, world.now)
}
