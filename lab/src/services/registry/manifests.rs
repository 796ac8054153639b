//! Manifests: reading, pushing and deleting them.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderName, Method, Request, Response, StatusCode};

use super::digest::digest_of;
use super::refusal::Refusal;
use super::serve::{Answer, CONTENT_DIGEST, empty, repository, set};
use super::{Host, Push, is_digest, push};
use crate::services::{ecr, ghcr};
use crate::world::World;

/// The header by which a registry says that it lists the manifest as a referrer.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// Answers a request to `/v2/<name>/manifests/<reference>`.
pub(super) fn serve(
    world: &mut World,
    request: &Request<Bytes>,
    host: Host,
    name: &str,
    reference: &str,
) -> Answer {
    match *request.method() {
        Method::GET | Method::HEAD => get(world, request, host, name, reference),
        Method::PUT => put(world, request, host, name, reference),
        Method::DELETE => delete(world, host, name, reference),
        _ => Err(Refusal::unsupported()),
    }
}

/// Whatever the client says that it accepts, it gets what was pushed.
fn get(
    world: &mut World,
    request: &Request<Bytes>,
    host: Host,
    name: &str,
    reference: &str,
) -> Answer {
    let now = world.now;
    let (digest, _) = repository(world, host, name)?
        .image(reference)
        .ok_or_else(|| Refusal::unknown_manifest(host))?;
    let digest = digest.to_owned();
    let repositories = &mut host.store_mut(&mut world.registry).repositories;
    let image = repositories.get_mut(name).and_then(|found| found.images.get_mut(&digest));
    let image = image.ok_or_else(|| Refusal::unknown_manifest(host))?;
    if *request.method() == Method::GET {
        image.pulled = Some(now);
    }
    let mut response = Response::new(image.manifest.clone());
    set(&mut response, CONTENT_TYPE, &image.media_type);
    set(&mut response, CONTENT_DIGEST, &digest);
    Ok(response)
}

fn put(
    world: &mut World,
    request: &Request<Bytes>,
    host: Host,
    name: &str,
    reference: &str,
) -> Answer {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.ok_or_else(|| {
        Refusal::new(StatusCode::BAD_REQUEST, "MANIFEST_INVALID", "The Content-Type is missing")
    })?;
    let by_digest = reference.contains(':');
    if by_digest && digest_of(request.body()) != reference {
        return Err(Refusal::digest(format!(
            "The manifest has the digest {}, not {reference}",
            digest_of(request.body())
        )));
    }
    let (manifest, tag) = (request.body().clone(), Some(reference).filter(|_| !by_digest));
    let pushed = match host {
        Host::Ecr => {
            ecr::before_upload(world, name);
            ecr::push(world, name, tag, media_type, manifest)
        }
        Host::Ghcr => {
            ghcr::before_upload(world, request, name);
            let now = Some(world.now);
            let manifest = Push { repository: name, tag, media_type, manifest, now };
            push(&mut world.registry.ghcr, manifest)
        }
    };
    let digest = pushed.map_err(|error| Refusal::push(error, host, &world.account))?;
    let mut response = empty(StatusCode::CREATED);
    set(&mut response, LOCATION, &format!("/v2/{name}/manifests/{digest}"));
    set(&mut response, CONTENT_DIGEST, &digest);
    let repository = repository(world, host, name)?;
    let image = repository.images.get(&digest);
    let subject = image.and_then(|image| image.references.subject.as_ref());
    if let Some(subject) = subject.filter(|_| host == Host::Ecr) {
        set(&mut response, SUBJECT, subject);
    }
    Ok(response)
}

/// ECR deletes by digest only, and not what an index names; GHCR not at all (skopeo#1880).
fn delete(world: &mut World, host: Host, name: &str, reference: &str) -> Answer {
    if host == Host::Ghcr || !is_digest(reference) {
        return Err(Refusal::unsupported());
    }
    let repository = repository(world, host, name)?;
    if !repository.images.contains_key(reference) {
        return Err(Refusal::unknown_manifest(host));
    }
    if repository.is_referenced(reference) {
        return Err(Refusal::denied(
            "Requested image referenced by manifest list and cannot be deleted",
        ));
    }
    if let Some(repository) = world.registry.ecr.repositories.get_mut(name) {
        repository.remove(reference);
    }
    Ok(empty(StatusCode::ACCEPTED))
}
