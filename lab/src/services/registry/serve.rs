//! The OCI distribution API: routes, authentication, blobs, manifests and tags. Blobs come straight
//! from here, where ECR redirects to S3.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LINK, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::digest::{digest_of, is_digest};
use super::refusal::Refusal;
use super::{Repository, manifests, uploads};
use crate::services::ecr;
use crate::world::World;

/// The header that names a blob or manifest.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

pub(super) type Answer = Result<Response<Bytes>, Refusal>;

/// Answers one request to the registry.
pub fn serve(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    let mut response = match authorise(world, request) {
        Ok(()) => route(world, request),
        Err(refusal) => Err(refusal),
    }
    .unwrap_or_else(|refusal| {
        let mut response = refusal.response();
        if refusal.status == StatusCode::UNAUTHORIZED {
            let host = ecr::registry_host(world);
            let challenge =
                format!("Basic realm=\"https://{host}/\",service=\"ecr.amazonaws.com\"");
            set(&mut response, WWW_AUTHENTICATE, &challenge);
        }
        response
    });
    set(&mut response, API_VERSION, "registry/2.0");
    response
}

/// The password is an ECR authorization token (user guide, "Private registry authentication").
fn authorise(world: &World, request: &Request<Bytes>) -> Result<(), Refusal> {
    let nobody = || Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Not Authorized");
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, encoded) = header.and_then(|header| header.split_once(' ')).ok_or_else(nobody)?;
    let pair = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = pair.filter(|_| scheme.eq_ignore_ascii_case("basic")).ok_or_else(nobody)?;
    let password = pair.strip_prefix("AWS:").ok_or_else(nobody)?;
    match ecr::token_expiry(world, password) {
        None => Err(nobody()),
        Some(ends) if ends <= world.now => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "DENIED",
            "Your authorization token has expired. Reauthenticate and try again.",
        )),
        Some(_) => Ok(()),
    }
}

fn route(world: &mut World, request: &Request<Bytes>) -> Answer {
    let path = request.uri().path().trim_start_matches("/v2").trim_matches('/');
    if path.is_empty() {
        return Ok(empty(StatusCode::OK));
    }
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    // Names are paths, so the last known word divides.
    if let Some((name, rest)) = path.rsplit_once("/blobs/uploads") {
        repository(world, name)?;
        return uploads::serve(world, request, name, rest.trim_start_matches('/'));
    }
    if let Some((name, digest)) = path.rsplit_once("/blobs/") {
        repository(world, name)?;
        return if read { blob(world, name, digest) } else { Err(Refusal::unsupported()) };
    }
    if let Some((name, reference)) = path.rsplit_once("/manifests/") {
        return match *request.method() {
            Method::PUT => put_manifest(world, request, name, reference),
            _ if read => manifest(repository(world, name)?, reference),
            _ => Err(Refusal::unsupported()),
        };
    }
    match path.strip_suffix("/tags/list") {
        Some(name) if read => Ok(tags(repository(world, name)?, name, request)),
        _ => {
            Err(Refusal::new(StatusCode::NOT_FOUND, "UNSUPPORTED", "The operation is unsupported."))
        }
    }
}

fn repository<'w>(world: &'w World, name: &str) -> Result<&'w Repository, Refusal> {
    let known = world.registry.repositories.get(name);
    known.ok_or_else(|| Refusal::unknown_name(name, &world.account))
}

fn blob(world: &World, name: &str, digest: &str) -> Answer {
    if !is_digest(digest) {
        return Err(Refusal::digest(format!("{digest} is no sha256 digest")));
    }
    let bytes = world.registry.blob(name, digest).ok_or_else(|| Refusal::unknown_blob(digest))?;
    let mut response = Response::new(bytes.clone());
    set(&mut response, CONTENT_TYPE, "application/octet-stream");
    set(&mut response, CONTENT_DIGEST, digest);
    Ok(response)
}

fn manifest(repository: &Repository, reference: &str) -> Answer {
    let (digest, image) = repository.image(reference).ok_or_else(|| {
        Refusal::new(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "Requested image not found")
    })?;
    let mut response = Response::new(image.manifest.clone());
    set(&mut response, CONTENT_TYPE, &image.media_type);
    set(&mut response, CONTENT_DIGEST, digest);
    Ok(response)
}

fn put_manifest(
    world: &mut World,
    request: &Request<Bytes>,
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
    let tag = (!by_digest).then_some(reference);
    let (manifest, now) = (request.body().clone(), Some(world.now));
    let digest = manifests::push(&mut world.registry, name, tag, media_type, manifest, now)
        .map_err(|error| Refusal::push(error, &world.account))?;
    let mut response = empty(StatusCode::CREATED);
    set(&mut response, LOCATION, &format!("/v2/{name}/manifests/{digest}"));
    set(&mut response, CONTENT_DIGEST, &digest);
    Ok(response)
}

fn tags(repository: &Repository, name: &str, request: &Request<Bytes>) -> Response<Bytes> {
    let size = parameter(request, "n").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
    let last = parameter(request, "last").unwrap_or_default();
    let mut rest = repository.tags.keys().filter(|tag| **tag > last);
    let page: Vec<&String> = rest.by_ref().take(size).collect();
    let body = serde_json::json!({ "name": name, "tags": page });
    let mut response = Response::new(Bytes::from(body.to_string()));
    set(&mut response, CONTENT_TYPE, "application/json");
    if let (Some(_), Some(last)) = (rest.next(), page.last()) {
        let next = format!("</v2/{name}/tags/list?n={size}&last={last}>; rel=\"next\"");
        set(&mut response, LINK, &next);
    }
    response
}

/// A parameter of the request's address.
pub(super) fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// Sets a header; a value that HTTP forbids is left out.
pub(super) fn set(response: &mut Response<Bytes>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
