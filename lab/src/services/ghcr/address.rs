//! The hosts under which GHCR answers.

use bytes::Bytes;
use http::Request;

use crate::services::message::{authority, query_parameter};
use crate::world::World;

/// The registry's host.
pub const HOST: &str = "ghcr.io";

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
