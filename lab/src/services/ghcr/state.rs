//! The state of GHCR besides its images.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::package::Package;

/// The state of the registry besides its images.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Another host name under which it answers, over plain HTTP: `localhost:4566` for a loopback transport,
    /// which has no `ghcr.io`.
    pub alias: Option<String>,
    /// The packages by `owner/name`.
    pub(crate) packages: BTreeMap<String, Package>,
    pub(super) sessions: BTreeMap<String, TokenGrant>,
}

/// What a bearer token grants.
#[derive(Debug, Clone)]
pub(super) struct TokenGrant {
    /// The GitHub token behind it; `None` if anonymous.
    pub(super) holder: Option<String>,
    /// The packages that it is for, and the actions allowed on each; empty if none was named.
    pub(super) scope: Vec<(String, Vec<String>)>,
    pub(super) ends: Timestamp,
}
