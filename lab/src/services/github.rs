//! GitHub's OIDC token endpoint.

/// What GitHub remembers.
#[derive(Debug, Clone, Default)]
pub struct State {}

/// Answers one request for a token.
pub fn token(
    _world: &mut crate::world::World,
    _request: &http::Request<bytes::Bytes>,
) -> http::Response<bytes::Bytes> {
    http::Response::new(bytes::Bytes::new())
}
