//! What the handlers of the distribution API have in common: the repository of a request, and the parts of an answer.

use bytes::Bytes;
use http::{HeaderName, Method, Request, Response, StatusCode};

use crate::services::registry::{OciError, RegistryKind, Repository};
use crate::world::World;

/// The header with the digest of a blob or manifest.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

pub(super) type OciResult = Result<Response<Bytes>, OciError>;

/// Returns a repository, or the error that it doesn't exist.
pub(super) fn repository<'w>(
    world: &'w World,
    host: RegistryKind,
    name: &str,
) -> Result<&'w Repository, OciError> {
    let known = host.store(&world.registry).repositories.get(name);
    known.ok_or_else(|| OciError::unknown_name(host, name, &world.account))
}

/// Returns whether a request only reads.
pub(super) fn is_read(request: &Request<Bytes>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
