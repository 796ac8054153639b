//! Uploads of blobs: started by POST, continued by PATCH, completed by PUT with the digest.

use bytes::Bytes;
use http::header::{CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderName, Method, Request, Response, StatusCode};

use super::answer::{CONTENT_DIGEST, OciResult, empty, repository};
use crate::services::message::{query_parameter, set_header};
use crate::services::registry::{OciError, RegistryKind, Upload, digest_of, is_digest};
use crate::services::{ecr, ghcr};
use crate::world::World;

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// Answers a request to `/v2/<name>/blobs/uploads/<id>`.
pub(super) fn serve(
    world: &mut World,
    request: &Request<Bytes>,
    host: RegistryKind,
    name: &str,
    id: &str,
) -> OciResult {
    if id.is_empty() {
        return match *request.method() {
            Method::POST => begin(world, request, host, name),
            _ => Err(OciError::unsupported()),
        };
    }
    let uploads = &host.store(&world.registry).uploads;
    if uploads.get(id).is_none_or(|upload| upload.repository != name) {
        return Err(OciError::unknown_upload());
    }
    match *request.method() {
        Method::PATCH => {
            append(world, request, host, id)?;
            Ok(progress(world, host, name, id, StatusCode::ACCEPTED))
        }
        Method::PUT => finish(world, request, host, name, id),
        Method::GET | Method::HEAD => Ok(progress(world, host, name, id, StatusCode::NO_CONTENT)),
        Method::DELETE => {
            host.store_mut(&mut world.registry).uploads.remove(id);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(OciError::unsupported()),
    }
}

/// Mounts a blob from another repository, stores a blob sent in one request, or starts an upload in parts.
fn begin(world: &mut World, request: &Request<Bytes>, host: RegistryKind, name: &str) -> OciResult {
    match host {
        RegistryKind::Ecr => ecr::before_upload(world, name),
        RegistryKind::Ghcr => ghcr::ensure_package(world, request, name),
    }
    repository(world, host, name)?;
    if let Some(digest) = query_parameter(request, "mount")
        && let Some(bytes) = mountable_blob(world, request, host, &digest)
    {
        host.store_mut(&mut world.registry).add_blob_to(name, bytes);
        return Ok(created(name, &digest));
    }
    if let Some(digest) = query_parameter(request, "digest") {
        return store_blob(world, host, name, &digest, request.body().clone());
    }
    let id = world.ids.uuid();
    host.store_mut(&mut world.registry).uploads.insert(id.clone(), Upload::new(name));
    Ok(progress(world, host, name, &id, StatusCode::ACCEPTED))
}

/// Returns the bytes of a blob that may be mounted. If it may not, or doesn't exist, the upload starts as if no
/// mount had been requested (distribution specification).
fn mountable_blob(
    world: &World,
    request: &Request<Bytes>,
    host: RegistryKind,
    digest: &str,
) -> Option<Bytes> {
    let from = query_parameter(request, "from")?;
    let may = match host {
        RegistryKind::Ecr => world.ecr.blob_mounting,
        RegistryKind::Ghcr => ghcr::may_mount(world, request, &from),
    };
    host.store(&world.registry).blob(&from, digest).filter(|_| may).cloned()
}

/// Appends the body to the upload. A range, if given, must continue where the last part ended.
fn append(
    world: &mut World,
    request: &Request<Bytes>,
    host: RegistryKind,
    id: &str,
) -> Result<(), OciError> {
    let upload = host.store_mut(&mut world.registry).uploads.get_mut(id);
    let upload = upload.ok_or_else(OciError::unknown_upload)?;
    let (have, body) = (upload.bytes.len(), request.body());
    if let Some(range) = request.headers().get(CONTENT_RANGE) {
        let range = range.to_str().unwrap_or_default();
        let fits =
            range.trim_start_matches("bytes ").split_once('-').is_some_and(|(first, last)| {
                first.parse() == Ok(have)
                    && last.parse() == Ok((have + body.len()).saturating_sub(1))
            });
        if !fits {
            return Err(OciError::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "BLOB_UPLOAD_INVALID",
                format!(
                    "The range {range} of {} bytes does not continue from byte {have}",
                    body.len()
                ),
            ));
        }
    }
    upload.append(body);
    Ok(())
}

/// Completes the upload with its last part and the digest. A wrong digest discards the upload.
fn finish(
    world: &mut World,
    request: &Request<Bytes>,
    host: RegistryKind,
    name: &str,
    id: &str,
) -> OciResult {
    let digest = query_parameter(request, "digest")
        .ok_or_else(|| OciError::digest("The query parameter digest is missing"))?;
    if !request.body().is_empty() {
        append(world, request, host, id)?;
    }
    let upload = host.store_mut(&mut world.registry).uploads.remove(id);
    let upload = upload.ok_or_else(OciError::unknown_upload)?;
    store_blob(world, host, name, &digest, upload.bytes.freeze())
}

fn store_blob(
    world: &mut World,
    host: RegistryKind,
    name: &str,
    digest: &str,
    bytes: Bytes,
) -> OciResult {
    if !is_digest(digest) {
        return Err(OciError::digest(format!("{digest} is not a sha256 digest")));
    }
    let actual = digest_of(&bytes);
    if actual != digest {
        return Err(OciError::digest(format!(
            "The {} uploaded bytes have the digest {actual}, not {digest}",
            bytes.len()
        )));
    }
    host.store_mut(&mut world.registry).add_blob_to(name, bytes);
    Ok(created(name, digest))
}

fn created(name: &str, digest: &str) -> Response<Bytes> {
    let mut response = empty(StatusCode::CREATED);
    set_header(&mut response, LOCATION, &format!("/v2/{name}/blobs/{digest}"));
    set_header(&mut response, CONTENT_DIGEST, digest);
    response
}

/// Returns where to continue, and which bytes have arrived. By the specification, no byte and one byte look alike.
fn progress(
    world: &World,
    host: RegistryKind,
    name: &str,
    id: &str,
    status: StatusCode,
) -> Response<Bytes> {
    let upload = host.store(&world.registry).uploads.get(id);
    let have = upload.map_or(0, |upload| upload.bytes.len());
    let mut response = empty(status);
    set_header(
        &mut response,
        LOCATION,
        &format!("/v2/{name}/blobs/{}/{id}", host.upload_segment()),
    );
    set_header(&mut response, RANGE, &format!("0-{}", have.saturating_sub(1)));
    set_header(&mut response, UPLOAD_ID, id);
    response
}
