//! The OCI distribution API: who may, and which part of it answers.

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::path::Resource;
use super::refusal::Refusal;
use super::{Host, Repository, actions, blobs, digest_of, is_name, listing, manifests, uploads};
use crate::services::ecr::{self, Denied};
use crate::services::ghcr::{self, Deed};
use crate::services::iam;
use crate::wire::Principal;
use crate::world::World;

/// The header that names a blob or manifest.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

pub(super) type Answer = Result<Response<Bytes>, Refusal>;

/// Answers one request to a registry.
pub fn serve(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    let host = Host::of(world, request);
    let mut response = answer(world, request, host).unwrap_or_else(|refusal| {
        let mut response = refusal.response();
        if refusal.status == StatusCode::UNAUTHORIZED {
            let challenge = host.challenge(world, refusal.scope.as_deref());
            set(&mut response, WWW_AUTHENTICATE, &challenge);
        }
        response
    });
    set(&mut response, API_VERSION, "registry/2.0");
    response
}

fn answer(world: &mut World, request: &Request<Bytes>, host: Host) -> Answer {
    let resource = Resource::of(request.uri().path());
    // Nobody learns what there is not before it is known who asks.
    let caller = authorise(world, request, host, resource)?;
    let resource = resource.ok_or_else(Refusal::no_such_page)?;
    if let Some(caller) = &caller {
        permit(world, request, caller, resource)?;
    }
    if host == Host::Ghcr && resource.name().is_some_and(|name| !is_name(name)) {
        return Err(Refusal::name());
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

/// Whether the caller's policies allow what is asked of ECR's registry.
fn permit(
    world: &mut World,
    request: &Request<Bytes>,
    caller: &Principal,
    resource: Resource<'_>,
) -> Result<(), Refusal> {
    let Some(name) = resource.name() else { return Ok(()) };
    let repository = format!("arn:aws:ecr:{}:{}:repository/{name}", world.region, world.account);
    let has_body = !request.body().is_empty();
    actions::actions(request.method(), resource, has_body)
        .into_iter()
        .try_for_each(|action| iam::may(world, caller, action, &repository))
        .map_err(Refusal::denied)
}

/// Who asks, as an identity of AWS's; nobody for GHCR.
fn authorise(
    world: &mut World,
    request: &Request<Bytes>,
    host: Host,
    resource: Option<Resource<'_>>,
) -> Result<Option<Principal>, Refusal> {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match host {
        Host::Ecr => {
            ecr::authorise(world, authorization).map(Some).map_err(|denied| match denied {
                Denied::Nobody => Refusal::unauthorized("Not Authorized", None),
                Denied::Expired => Refusal::denied(
                    "Your authorization token has expired. Reauthenticate and try again.",
                ),
            })
        }
        Host::Ghcr => {
            let reads = matches!(*request.method(), Method::GET | Method::HEAD);
            let is_upload = matches!(resource, Some(Resource::Upload { .. }));
            let deed = if reads && !is_upload { Deed::Pull } else { Deed::Push };
            let name = resource.and_then(Resource::name);
            ghcr::authorise(world, authorization, name, deed).map(|()| None)
        }
    }
}

/// A repository, or the refusal.
pub(super) fn repository<'w>(
    world: &'w World,
    host: Host,
    name: &str,
) -> Result<&'w Repository, Refusal> {
    let known = host.store(&world.registry).repositories.get(name);
    known.ok_or_else(|| Refusal::unknown_name(host, name, &world.account))
}

/// Whether a request only reads.
pub(super) fn reads(request: &Request<Bytes>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// A parameter of the request's address.
pub(crate) fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
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
