//! Uploading blobs: begun by POST, continued by PATCH, finished by PUT with the digest.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderName, Method, Request, Response, StatusCode};

use super::Host;
use super::digest::{digest_of, is_digest};
use super::refusal::Refusal;
use super::serve::{Answer, CONTENT_DIGEST, empty, parameter, repository, set};
use crate::services::{ecr, ghcr};
use crate::world::World;

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// A blob that is arriving.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    /// The repository that it is for.
    pub(crate) repository: String,
    /// What has come so far.
    pub(crate) bytes: BytesMut,
    /// The sizes of the parts that it came in.
    pub(crate) parts: Vec<usize>,
}

impl Upload {
    /// One that begins.
    pub(crate) fn new(repository: &str) -> Upload {
        let repository = repository.to_owned();
        Upload { repository, bytes: BytesMut::new(), parts: Vec::new() }
    }

    /// Adds a part.
    pub(crate) fn append(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(part);
        self.parts.push(part.len());
    }
}

/// Answers a request to `/v2/<name>/blobs/uploads/<id>`.
pub(super) fn serve(
    world: &mut World,
    request: &Request<Bytes>,
    host: Host,
    name: &str,
    id: &str,
) -> Answer {
    if id.is_empty() {
        return match *request.method() {
            Method::POST => begin(world, request, host, name),
            _ => Err(Refusal::unsupported()),
        };
    }
    let uploads = &host.store(&world.registry).uploads;
    if uploads.get(id).is_none_or(|upload| upload.repository != name) {
        return Err(Refusal::unknown_upload());
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
        _ => Err(Refusal::unsupported()),
    }
}

/// Three ways to begin: take a blob over from another repository, send all at once, or send in parts.
fn begin(world: &mut World, request: &Request<Bytes>, host: Host, name: &str) -> Answer {
    match host {
        Host::Ecr => ecr::before_upload(world, name),
        Host::Ghcr => ghcr::before_upload(world, request, name),
    }
    repository(world, host, name)?;
    if let Some(digest) = parameter(request, "mount")
        && let Some(bytes) = mountable(world, request, host, &digest)
    {
        host.store_mut(&mut world.registry).keep_blob(name, bytes);
        return Ok(created(name, &digest));
    }
    if let Some(digest) = parameter(request, "digest") {
        return keep(world, host, name, &digest, request.body().clone());
    }
    let id = world.ids.uuid();
    host.store_mut(&mut world.registry).uploads.insert(id.clone(), Upload::new(name));
    Ok(progress(world, host, name, &id, StatusCode::ACCEPTED))
}

/// The bytes of a blob that may be taken over. Where it may not, or is not there, the upload begins as
/// if nothing had been said of mounting (distribution specification).
fn mountable(world: &World, request: &Request<Bytes>, host: Host, digest: &str) -> Option<Bytes> {
    let from = parameter(request, "from")?;
    let may = match host {
        Host::Ecr => world.ecr.mounting,
        Host::Ghcr => ghcr::may_mount(world, request, &from),
    };
    host.store(&world.registry).blob(&from, digest).filter(|_| may).cloned()
}

/// Adds the body to the upload. A range, if given, must go on where the last part ended.
fn append(
    world: &mut World,
    request: &Request<Bytes>,
    host: Host,
    id: &str,
) -> Result<(), Refusal> {
    let upload = host.store_mut(&mut world.registry).uploads.get_mut(id);
    let upload = upload.ok_or_else(Refusal::unknown_upload)?;
    let (have, body) = (upload.bytes.len(), request.body());
    if let Some(range) = request.headers().get(CONTENT_RANGE) {
        let range = range.to_str().unwrap_or_default();
        let fits =
            range.trim_start_matches("bytes ").split_once('-').is_some_and(|(first, last)| {
                first.parse() == Ok(have)
                    && last.parse() == Ok((have + body.len()).saturating_sub(1))
            });
        if !fits {
            return Err(Refusal::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "BLOB_UPLOAD_INVALID",
                format!(
                    "The range {range} of {} bytes does not go on from {have} bytes",
                    body.len()
                ),
            ));
        }
    }
    upload.append(body);
    Ok(())
}

/// The last part, and the digest. With a wrong digest all is lost.
fn finish(world: &mut World, request: &Request<Bytes>, host: Host, name: &str, id: &str) -> Answer {
    let digest = parameter(request, "digest")
        .ok_or_else(|| Refusal::digest("The parameter digest is missing"))?;
    if !request.body().is_empty() {
        append(world, request, host, id)?;
    }
    let upload = host.store_mut(&mut world.registry).uploads.remove(id);
    let upload = upload.ok_or_else(Refusal::unknown_upload)?;
    keep(world, host, name, &digest, upload.bytes.freeze())
}

fn keep(world: &mut World, host: Host, name: &str, digest: &str, bytes: Bytes) -> Answer {
    if !is_digest(digest) {
        return Err(Refusal::digest(format!("{digest} is no sha256 digest")));
    }
    let actual = digest_of(&bytes);
    if actual != digest {
        return Err(Refusal::digest(format!(
            "The {} bytes that came have the digest {actual}, not {digest}",
            bytes.len()
        )));
    }
    host.store_mut(&mut world.registry).keep_blob(name, bytes);
    Ok(created(name, digest))
}

fn created(name: &str, digest: &str) -> Response<Bytes> {
    let mut response = empty(StatusCode::CREATED);
    set(&mut response, LOCATION, &format!("/v2/{name}/blobs/{digest}"));
    set(&mut response, CONTENT_DIGEST, digest);
    response
}

/// Where to go on, and from which byte. Nothing and one byte look alike here, by the specification.
fn progress(
    world: &World,
    host: Host,
    name: &str,
    id: &str,
    status: StatusCode,
) -> Response<Bytes> {
    let upload = host.store(&world.registry).uploads.get(id);
    let have = upload.map_or(0, |upload| upload.bytes.len());
    let mut response = empty(status);
    set(&mut response, LOCATION, &format!("/v2/{name}/blobs/{}/{id}", host.upload_word()));
    set(&mut response, RANGE, &format!("0-{}", have.saturating_sub(1)));
    set(&mut response, UPLOAD_ID, id);
    response
}
