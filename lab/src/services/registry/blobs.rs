//! Blobs that are there. Readers are sent on to the storage that has the bytes.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response, StatusCode};

use super::digest::is_digest;
use super::refusal::Refusal;
use super::serve::{Answer, CONTENT_DIGEST, empty, reads, repository, set};
use super::{Host, storage};
use crate::world::World;

/// Answers a request to `/v2/<name>/blobs/<digest>`.
pub(super) fn serve(
    world: &World,
    request: &Request<Bytes>,
    host: Host,
    name: &str,
    digest: &str,
) -> Answer {
    if !reads(request) {
        return Err(Refusal::unsupported());
    }
    repository(world, host, name)?;
    if !is_digest(digest) {
        return Err(Refusal::digest(format!("{digest} is no sha256 digest")));
    }
    let bytes = host.store(&world.registry).blob(name, digest).ok_or_else(Refusal::unknown_blob)?;
    let mut response = if *request.method() == Method::HEAD {
        // The bytes give the length; a HEAD's answer loses them on the way out.
        let mut response = Response::new(bytes.clone());
        set(&mut response, CONTENT_TYPE, "application/octet-stream");
        response
    } else {
        let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
        let address = match host {
            Host::Ecr => storage::ecr_address(world, digest),
            Host::Ghcr => storage::ghcr_address(world, digest),
        };
        set(&mut response, LOCATION, &address);
        response
    };
    set(&mut response, CONTENT_DIGEST, digest);
    Ok(response)
}
