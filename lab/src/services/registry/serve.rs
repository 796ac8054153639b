//! The OCI distribution API: authorizes requests and routes them.

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::digest::digest_of;
use super::error::OciError;
use super::host::RegistryKind;
use super::name::is_name;
use super::path::Resource;
use super::store::Repository;
use super::{actions, blobs, listing, manifests, uploads};
use crate::services::ecr::{self, AuthError};
use crate::services::ghcr::{self, PackageAction};
use crate::services::iam;
use crate::wire::Principal;
use crate::world::World;

/// The header with the digest of a blob or manifest.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

pub(super) type OciResult = Result<Response<Bytes>, OciError>;

/// Answers one request to a registry.
pub fn serve(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    let host = RegistryKind::of_request(world, request);
    let mut response = answer(world, request, host).unwrap_or_else(|refusal| {
        let mut response = refusal.response();
        if refusal.status == StatusCode::UNAUTHORIZED {
            let challenge = host.challenge(world, refusal.scope.as_deref());
            set_header(&mut response, WWW_AUTHENTICATE, &challenge);
        }
        response
    });
    set_header(&mut response, API_VERSION, "registry/2.0");
    response
}

fn answer(world: &mut World, request: &Request<Bytes>, host: RegistryKind) -> OciResult {
    let resource = Resource::parse(request.uri().path());
    // A caller that is not authenticated must not learn which paths don't exist.
    let caller = authenticate(world, request, host, resource)?;
    let resource = resource.ok_or_else(OciError::not_found)?;
    if let Some(caller) = &caller {
        authorize(world, request, caller, resource)?;
    }
    if host == RegistryKind::Ghcr && resource.name().is_some_and(|name| !is_name(name)) {
        return Err(OciError::name());
    }
    match resource {
        Resource::Root => Ok(empty(StatusCode::OK)),
        Resource::Upload { name, id } => uploads::serve(world, request, host, name, id),
        Resource::Blob { name, digest } => blobs::serve(world, request, host, name, digest),
        Resource::Manifest { name, reference } => {
            let answer = manifests::serve(world, request, host, name, reference)?;
            if let (&Method::PUT, Some(caller)) = (request.method(), &caller) {
                ecr::sign(world, caller, name, &digest_of(request.body()));
            }
            Ok(answer)
        }
        Resource::Tags { name } => listing::tags(world, request, host, name),
        Resource::Referrers { name, digest } => {
            listing::referrers(world, request, host, name, digest)
        }
    }
}

/// Checks whether the caller's policies allow a request to ECR's registry.
fn authorize(
    world: &mut World,
    request: &Request<Bytes>,
    caller: &Principal,
    resource: Resource<'_>,
) -> Result<(), OciError> {
    let Some(name) = resource.name() else { return Ok(()) };
    let repository = format!("arn:aws:ecr:{}:{}:repository/{name}", world.region, world.account);
    let has_body = !request.body().is_empty();
    actions::required_actions(request.method(), resource, has_body)
        .into_iter()
        .try_for_each(|action| iam::authorize_action(world, caller, action, &repository))
        .map_err(OciError::denied)
}

/// Authenticates a request. Returns the caller's AWS principal, or `None` for GHCR.
fn authenticate(
    world: &mut World,
    request: &Request<Bytes>,
    host: RegistryKind,
    resource: Option<Resource<'_>>,
) -> Result<Option<Principal>, OciError> {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match host {
        RegistryKind::Ecr => {
            ecr::authenticate(world, authorization).map(Some).map_err(|denied| match denied {
                AuthError::InvalidToken => OciError::unauthorized("Not Authorized", None),
                AuthError::ExpiredToken => OciError::denied(
                    "Your authorization token has expired. Reauthenticate and try again.",
                ),
            })
        }
        RegistryKind::Ghcr => {
            let reads = matches!(*request.method(), Method::GET | Method::HEAD);
            let is_upload = matches!(resource, Some(Resource::Upload { .. }));
            let deed = if reads && !is_upload { PackageAction::Pull } else { PackageAction::Push };
            let name = resource.and_then(Resource::name);
            ghcr::authorize(world, authorization, name, deed).map(|()| None)
        }
    }
}

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

/// Returns a query parameter of a request.
pub(crate) fn query_parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// Sets a header, unless HTTP forbids the value.
pub(super) fn set_header(response: &mut Response<Bytes>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
