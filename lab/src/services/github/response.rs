//! Responses of the REST API.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

/// A response, or an error response.
pub(super) type ApiResponse = Result<Response<Bytes>, ErrorResponse>;

/// Builds a JSON response.
pub(super) fn json_response(status: StatusCode, body: &Json) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// An error response.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    status: StatusCode,
    body: Json,
}

impl ErrorResponse {
    pub(super) fn response(&self) -> Response<Bytes> {
        json_response(self.status, &self.body)
    }
}

/// Builds an error with a message.
pub(super) fn refuse(status: StatusCode, message: &str) -> ErrorResponse {
    let body = json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.as_u16().to_string(),
    });
    ErrorResponse { status, body }
}

/// Builds a 404, which also hides what the caller may not see.
pub(super) fn not_found() -> ErrorResponse {
    refuse(StatusCode::NOT_FOUND, "Not Found")
}

/// Builds a 422 for a body that doesn't match the schema.
pub(super) fn malformed(why: &str) -> ErrorResponse {
    refuse(StatusCode::UNPROCESSABLE_ENTITY, &format!("Invalid request.\n\n{why}"))
}

/// Builds a 422 or another status for well-formed but invalid values.
pub(super) fn invalid(status: StatusCode, message: &str, errors: &Json) -> ErrorResponse {
    let mut refusal = refuse(status, message);
    refusal.body["errors"] = errors.clone();
    refusal
}

/// Builds a 422 for one invalid value.
pub(super) fn custom(resource: &str, field: &str, message: &str) -> ErrorResponse {
    let errors =
        json!([{ "resource": resource, "code": "custom", "field": field, "message": message }]);
    invalid(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed", &errors)
}

/// Returns an optional string member of a body.
pub(super) fn text<'b>(body: &'b Json, key: &str) -> Result<Option<&'b str>, ErrorResponse> {
    match &body[key] {
        Json::Null => Ok(None),
        Json::String(text) => Ok(Some(text)),
        other => Err(malformed(&format!("For 'properties/{key}', {other} is not a string."))),
    }
}

/// Returns an optional boolean member of a body.
pub(super) fn flag(body: &Json, key: &str) -> Result<Option<bool>, ErrorResponse> {
    match &body[key] {
        Json::Null => Ok(None),
        Json::Bool(flag) => Ok(Some(*flag)),
        other => Err(malformed(&format!("For 'properties/{key}', {other} is not a boolean."))),
    }
}

/// Formats an account, as every response shows it.
pub(super) fn user(login: &str) -> Json {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    let path = login.replace('[', "%5B").replace(']', "%5D");
    let url = format!("https://api.github.com/users/{path}");
    json!({
        "login": login,
        "id": login.bytes().fold(41_898_000_u64, |sum, byte| sum + u64::from(byte)),
        "node_id": format!("U_{login}"),
        "avatar_url": format!("https://avatars.githubusercontent.com/{path}"),
        "gravatar_id": "",
        "url": url,
        "html_url": format!("https://github.com/{path}"),
        "followers_url": format!("{url}/followers"),
        "following_url": format!("{url}/following{{/other_user}}"),
        "gists_url": format!("{url}/gists{{/gist_id}}"),
        "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{url}/subscriptions"),
        "organizations_url": format!("{url}/orgs"),
        "repos_url": format!("{url}/repos"),
        "events_url": format!("{url}/events{{/privacy}}"),
        "received_events_url": format!("{url}/received_events"),
        "type": kind,
        "site_admin": false,
    })
}

/// Formats a time to the second, as the API does.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
