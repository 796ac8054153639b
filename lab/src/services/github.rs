//! GitHub's OIDC token endpoint.

/// What GitHub remembers.
#[derive(Debug, Clone, Default)]
pub struct State {}
