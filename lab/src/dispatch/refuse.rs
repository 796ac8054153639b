//! Error responses that do not depend on what a request asks for.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use serde_json::json;

use super::route::Route;
use super::serve::finish;
use crate::wire::{ApiError, Protocol, set_header};
use crate::world::World;

/// Refuses a request in the format of the service that it is for, without any effect.
pub(super) fn refuse(
    world: &mut World,
    request: &Request<Bytes>,
    error: &ApiError,
) -> Response<Bytes> {
    let service = match Route::of(request) {
        Route::Signed(scope) => Some(scope.service),
        Route::Unsigned(service) => Some(service),
        _ => None,
    };
    let response = match (service, Route::of(request)) {
        (Some(service), _) => {
            let request_id = world.request_ids.uuid();
            Protocol::of(service, request).refuse(service, error, &request_id)
        }
        // The error body of the OCI distribution specification.
        (None, Route::Registry | Route::RegistryToken) => {
            let errors = json!({ "errors": [{ "code": error.code, "message": error.message }] });
            plain(error, "application/json", errors.to_string())
        }
        (None, Route::GithubToken | Route::GithubIssuer | Route::Github) => {
            plain(error, "application/json", json!({ "message": error.message }).to_string())
        }
        (None, _) => plain(error, "text/plain; charset=utf-8", format!("{}\n", error.message)),
    };
    finish(world, request, response)
}

fn plain(error: &ApiError, content_type: &str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    set_header(&mut response, CONTENT_TYPE.as_str(), content_type);
    response
}
