//! Reads stored blobs. A GET is redirected to the storage that has the bytes.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response, StatusCode};

use super::answer::{CONTENT_DIGEST, OciResult, empty, is_read, repository};
use crate::services::message::set_header;
use crate::services::registry::{OciError, RegistryKind, is_digest};
use crate::services::storage;
use crate::world::World;

/// Answers a request to `/v2/<name>/blobs/<digest>`.
pub(super) fn serve(
    world: &World,
    request: &Request<Bytes>,
    host: RegistryKind,
    name: &str,
    digest: &str,
) -> OciResult {
    if !is_read(request) {
        return Err(OciError::unsupported());
    }
    repository(world, host, name)?;
    if !is_digest(digest) {
        return Err(OciError::digest(format!("{digest} is not a sha256 digest")));
    }
    let bytes =
        host.store(&world.registry).blob(name, digest).ok_or_else(OciError::unknown_blob)?;
    let mut response = if *request.method() == Method::HEAD {
        // The body sets the length; it is dropped before a response to HEAD is sent.
        let mut response = Response::new(bytes.clone());
        set_header(&mut response, CONTENT_TYPE, "application/octet-stream");
        response
    } else {
        let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
        let address = match host {
            RegistryKind::Ecr => storage::ecr_download_url(world, digest),
            RegistryKind::Ghcr => storage::ghcr_download_url(world, digest),
        };
        set_header(&mut response, LOCATION, &address);
        response
    };
    set_header(&mut response, CONTENT_DIGEST, digest);
    Ok(response)
}
