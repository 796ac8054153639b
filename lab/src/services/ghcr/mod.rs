//! The GitHub Container Registry: permissions, and its token service. Its contents are in
//! [`super::registry`].
//!
//! A package is private when the first push creates it, and is linked to the repository whose workflow pushed
//! it. The error texts are those that users have quoted: `permission_denied: write_package`, `installation
//! not allowed to Create organization package`, and a bare `denied`.

mod access;
mod packages;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use crate::services::registry::{authority, query_parameter};
use crate::world::World;

pub(crate) use access::{PackageAction, authorize, may_mount};
pub(crate) use packages::ensure_package;
pub use packages::{Package, Visibility, set_visibility};
pub use token::serve as serve_token;

/// The registry's host.
pub const HOST: &str = "ghcr.io";

/// The state of the registry besides its images.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Another host name under which it answers, over plain HTTP: `localhost:4566` for a loopback transport,
    /// which has no `ghcr.io`.
    pub alias: Option<String>,
    /// The packages by `owner/name`.
    pub(crate) packages: BTreeMap<String, Package>,
    sessions: BTreeMap<String, TokenGrant>,
}

/// What a bearer token grants.
#[derive(Debug, Clone)]
struct TokenGrant {
    /// The GitHub token behind it; `None` if anonymous.
    holder: Option<String>,
    /// The packages that it is for, and the actions allowed on each; empty if none was named.
    scope: Vec<(String, Vec<String>)>,
    ends: Timestamp,
}

/// Returns whether a request is for the token service: by its host, or because it names the service, as
/// clients do.
pub(crate) fn is_token_request(request: &Request<Bytes>) -> bool {
    authority(request) == HOST || query_parameter(request, "service").as_deref() == Some(HOST)
}

/// Returns whether the registry answers under this host.
pub(crate) fn is_host(world: &World, host: &str) -> bool {
    host == HOST || world.ghcr.alias.as_deref() == Some(host)
}

/// Returns the other host name, if it has one.
pub(crate) fn alias(world: &World) -> Option<&str> {
    world.ghcr.alias.as_deref()
}

/// Returns its base URL.
pub(crate) fn base(world: &World) -> String {
    alias(world).map_or_else(|| format!("https://{HOST}"), |alias| format!("http://{alias}"))
}
