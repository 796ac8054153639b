//! Routes an HTTP request to its service and writes the response.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE};
use http::{Method, Request, Response};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::auth;
use super::route::{Route, Scope};
use crate::services::{
    autoscaling, cloudwatch, distribution, ec2, ecr, elbv2, ghcr, github, iam, ssm, storage, sts,
};
use crate::wire::{
    ApiError, ApiResult, Call, Principal, Protocol, Service, Value, header, set_header,
};
use crate::world::World;
use crate::{faults, traffic};

/// Answers one HTTP request at `world.now`. It never fails: what AWS would refuse becomes an error
/// response.
pub fn serve(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    let response = match Route::of(request) {
        Route::Signed(scope) => api(world, request, scope.service, Some(scope)),
        Route::Unsigned(service) => api(world, request, service, None),
        Route::UnknownService(name) => unknown_service(world, name),
        Route::Registry => distribution::serve(world, request),
        Route::Storage => storage::serve(world, request),
        Route::RegistryToken => ghcr::serve_token(world, request),
        Route::GithubToken => github::serve_token(world, request),
        Route::GithubIssuer => github::serve_issuer(request),
        Route::Github => github::api(world, request),
        Route::Health => health(world),
        Route::Site => traffic::answer(world, request),
    };
    finish(world, request, response)
}

/// Sets the headers of every response, and drops the body of a response to `HEAD`.
pub(super) fn finish(
    world: &World,
    request: &Request<Bytes>,
    mut response: Response<Bytes>,
) -> Response<Bytes> {
    set_header(&mut response, DATE.as_str(), &http_date(world.now));
    if request.method() == Method::HEAD {
        let length = response.body().len().to_string();
        set_header(&mut response, CONTENT_LENGTH.as_str(), &length);
        *response.body_mut() = Bytes::new();
    }
    response
}

fn api(
    world: &mut World,
    request: &Request<Bytes>,
    service: Service,
    scope: Option<Scope<'_>>,
) -> Response<Bytes> {
    let protocol = Protocol::of(service, request);
    let request_id = world.request_ids.uuid();
    match answered(world, request, service, scope) {
        Ok((operation, result)) => protocol.answer(service, &operation, &result, &request_id),
        Err(error) => protocol.refuse(service, &error, &request_id),
    }
}

fn answered(
    world: &mut World,
    request: &Request<Bytes>,
    service: Service,
    scope: Option<Scope<'_>>,
) -> ApiResult<(String, Value)> {
    let protocol = Protocol::of(service, request);
    let (operation, input) = protocol.read(request)?;
    let caller = match scope {
        Some(scope) => {
            let session_token = header(request, "x-amz-security-token");
            auth::caller(world, protocol, &scope, session_token)?
        }
        None if sts::allows_anonymous(service, &operation) => Principal::anonymous(),
        None => return Err(auth::missing(protocol)),
    };
    let region = scope.map_or_else(|| world.region.clone(), |scope| scope.region.to_owned());
    let call = Call { service, operation, input, caller, region };
    iam::authorize_call(world, &call)?;
    let result = faults::answer_from(world, &call, dispatch)?;
    Ok((call.operation, result))
}

fn dispatch(world: &mut World, call: &Call) -> ApiResult<Value> {
    match call.service {
        Service::Sts => sts::call(world, call),
        Service::Iam => iam::call(world, call),
        Service::Ssm => ssm::call(world, call),
        Service::Ecr => ecr::call(world, call),
        Service::Ec2 => ec2::call(world, call),
        Service::Autoscaling => autoscaling::call(world, call),
        Service::Elbv2 => elbv2::call(world, call),
        Service::Cloudwatch => cloudwatch::call(world, call),
    }
}

/// Answers a call for a service that the lab does not have. No AWS endpoint would say this.
fn unknown_service(world: &mut World, name: &str) -> Response<Bytes> {
    let error = ApiError::sender(
        "UnknownService",
        format!(
            "The lab has no service {name}. It has sts, iam, ssm, ecr, ec2, autoscaling, \
             elasticloadbalancing (v2) and monitoring."
        ),
    );
    let request_id = world.request_ids.uuid();
    Protocol::Query.refuse(Service::Sts, &error, &request_id)
}

fn health(world: &World) -> Response<Bytes> {
    let body = serde_json::json!({ "status": "ok", "now": world.now.to_string() });
    let mut response = Response::new(Bytes::from(body.to_string()));
    set_header(&mut response, CONTENT_TYPE.as_str(), "application/json");
    response
}

/// Formats a timestamp for HTTP's `Date` (RFC 9110).
fn http_date(at: Timestamp) -> String {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}
