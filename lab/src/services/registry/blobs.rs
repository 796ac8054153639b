//! Reads stored blobs. A GET is redirected to the storage that has the bytes.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response, StatusCode};

use super::digest::is_digest;
use super::error::OciError;
use super::host::RegistryKind;
use super::serve::{CONTENT_DIGEST, OciResult, empty, is_read, repository, set_header};
use super::storage;
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
