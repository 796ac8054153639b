//! Reads, pushes and deletes manifests.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderName, Method, Request, Response, StatusCode};

use super::answer::{CONTENT_DIGEST, OciResult, empty, repository};
use crate::services::message::set_header;
use crate::services::registry::{self, ManifestPush, OciError, RegistryKind, digest_of, is_digest};
use crate::services::{ecr, ghcr};
use crate::world::World;

/// The header by which a registry confirms that it lists the pushed manifest as a referrer.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// Answers a request to `/v2/<name>/manifests/<reference>`.
pub(super) fn serve(
    world: &mut World,
    request: &Request<Bytes>,
    host: RegistryKind,
    name: &str,
    reference: &str,
) -> OciResult {
    match *request.method() {
        Method::GET | Method::HEAD => get(world, request, host, name, reference),
        Method::PUT => put(world, request, host, name, reference),
        Method::DELETE => delete(world, host, name, reference),
        _ => Err(OciError::unsupported()),
    }
}

/// Returns the manifest as it was pushed, whatever media types the client accepts.
fn get(
    world: &mut World,
    request: &Request<Bytes>,
    host: RegistryKind,
    name: &str,
    reference: &str,
) -> OciResult {
    let now = world.now;
    let (digest, _) = repository(world, host, name)?
        .image(reference)
        .ok_or_else(|| OciError::unknown_manifest(host))?;
    let digest = digest.to_owned();
    let repositories = &mut host.store_mut(&mut world.registry).repositories;
    let image = repositories.get_mut(name).and_then(|found| found.images.get_mut(&digest));
    let image = image.ok_or_else(|| OciError::unknown_manifest(host))?;
    if *request.method() == Method::GET {
        image.pulled = Some(now);
    }
    let mut response = Response::new(image.manifest.clone());
    set_header(&mut response, CONTENT_TYPE, &image.media_type);
    set_header(&mut response, CONTENT_DIGEST, &digest);
    Ok(response)
}

fn put(
    world: &mut World,
    request: &Request<Bytes>,
    host: RegistryKind,
    name: &str,
    reference: &str,
) -> OciResult {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.ok_or_else(|| {
        OciError::new(
            StatusCode::BAD_REQUEST,
            "MANIFEST_INVALID",
            "The Content-Type header is missing",
        )
    })?;
    let by_digest = reference.contains(':');
    if by_digest && digest_of(request.body()) != reference {
        return Err(OciError::digest(format!(
            "The manifest has the digest {}, not {reference}",
            digest_of(request.body())
        )));
    }
    let (manifest, tag) = (request.body().clone(), Some(reference).filter(|_| !by_digest));
    let pushed = match host {
        RegistryKind::Ecr => {
            ecr::before_upload(world, name);
            ecr::push(world, name, tag, media_type, manifest)
        }
        RegistryKind::Ghcr => {
            ghcr::ensure_package(world, request, name);
            let now = Some(world.now);
            let manifest = ManifestPush { repository: name, tag, media_type, manifest, now };
            registry::push(&mut world.registry.ghcr, manifest)
        }
    };
    let digest = pushed.map_err(|error| OciError::push(error, host, &world.account))?;
    let mut response = empty(StatusCode::CREATED);
    set_header(&mut response, LOCATION, &format!("/v2/{name}/manifests/{digest}"));
    set_header(&mut response, CONTENT_DIGEST, &digest);
    let repository = repository(world, host, name)?;
    let image = repository.images.get(&digest);
    let subject = image.and_then(|image| image.references.subject.as_ref());
    if let Some(subject) = subject.filter(|_| host == RegistryKind::Ecr) {
        set_header(&mut response, SUBJECT, subject);
    }
    Ok(response)
}

/// Deletes a manifest. ECR does so only by digest, and not what an index names; GHCR not at all (skopeo#1880).
fn delete(world: &mut World, host: RegistryKind, name: &str, reference: &str) -> OciResult {
    if host == RegistryKind::Ghcr || !is_digest(reference) {
        return Err(OciError::unsupported());
    }
    let repository = repository(world, host, name)?;
    if !repository.images.contains_key(reference) {
        return Err(OciError::unknown_manifest(host));
    }
    if repository.is_referenced(reference) {
        return Err(OciError::denied(
            "Requested image referenced by manifest list and cannot be deleted",
        ));
    }
    if let Some(repository) = world.registry.ecr.repositories.get_mut(name) {
        repository.remove(reference);
    }
    Ok(empty(StatusCode::ACCEPTED))
}
