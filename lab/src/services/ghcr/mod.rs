//! The GitHub Container Registry: who may do what there, and the token service that says so. What it
//! holds is in [`super::registry`].
//!
//! Packages are private when a first push creates them, and belong to the repository whose workflow
//! pushed them. Wordings are those that users quote, of what they ran into: `permission_denied:
//! write_package`, `installation not allowed to Create organization package`, and a bare `denied`.

mod access;
mod packages;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use crate::services::registry::{authority, parameter};
use crate::world::World;

pub(crate) use access::{Deed, authorise, may_mount};
pub(crate) use packages::before_upload;
pub use packages::{Package, Visibility, set_visibility};
pub use token::serve as serve_token;

/// The registry's own host.
pub const HOST: &str = "ghcr.io";

/// What it remembers besides the images.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Another name under which it answers, by plain HTTP: `localhost:4566` for a loopback door, which
    /// has no `ghcr.io`.
    pub alias: Option<String>,
    /// The packages by `owner/name`.
    pub(crate) packages: BTreeMap<String, Package>,
    sessions: BTreeMap<String, Session>,
}

/// What a bearer token is good for.
#[derive(Debug, Clone)]
struct Session {
    /// The GitHub token behind it; `None` for nobody's.
    holder: Option<String>,
    /// The package that it is for, and what may be done to it; everything if none was named.
    scope: Vec<(String, Vec<String>)>,
    ends: Timestamp,
}

/// Whether a request is for the token service: by the host, or as its clients ask, naming the service.
pub(crate) fn asks_for_token(request: &Request<Bytes>) -> bool {
    authority(request) == HOST || parameter(request, "service").as_deref() == Some(HOST)
}

/// Whether the registry answers under this host.
pub(crate) fn is_host(world: &World, host: &str) -> bool {
    host == HOST || world.ghcr.alias.as_deref() == Some(host)
}

/// The other name, if it has one.
pub(crate) fn alias(world: &World) -> Option<&str> {
    world.ghcr.alias.as_deref()
}

/// Where it answers.
pub(crate) fn base(world: &World) -> String {
    alias(world).map_or_else(|| format!("https://{HOST}"), |alias| format!("http://{alias}"))
}
