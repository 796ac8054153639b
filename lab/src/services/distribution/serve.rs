//! The OCI distribution API: authorizes requests and routes them.

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderName, Method, Request, Response, StatusCode};

use super::answer::{OciResult, empty};
use super::path::Resource;
use super::{actions, blobs, host, listing, manifests, uploads};
use crate::services::ecr::{self, AuthError};
use crate::services::ghcr::{self, PackageAction};
use crate::services::iam;
use crate::services::message::set_header;
use crate::services::registry::{OciError, RegistryKind, digest_of, is_name};
use crate::wire::Principal;
use crate::world::World;

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// Answers one request to a registry.
pub fn serve(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    let kind = host::of_request(world, request);
    let mut response = answer(world, request, kind).unwrap_or_else(|refusal| {
        let mut response = refusal.response();
        if refusal.status == StatusCode::UNAUTHORIZED {
            let challenge = host::challenge(kind, world, refusal.scope.as_deref());
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
