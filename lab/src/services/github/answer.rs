//! How the REST API answers.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value as Json, json};

/// An answer, or the refusal.
pub(super) type Answer = Result<Response<Bytes>, Refusal>;

/// A JSON body.
pub(super) fn answer(status: StatusCode, body: &Json) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// An answer that refuses.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    body: Json,
}

impl Refusal {
    pub(super) fn response(&self) -> Response<Bytes> {
        answer(self.status, &self.body)
    }
}

/// A refusal with a message.
pub(super) fn refuse(status: StatusCode, message: &str) -> Refusal {
    let body = json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.as_u16().to_string(),
    });
    Refusal { status, body }
}

/// 404; also for what the caller may not see.
pub(super) fn not_found() -> Refusal {
    refuse(StatusCode::NOT_FOUND, "Not Found")
}

/// 422 for a body that does not have the documented form.
pub(super) fn malformed(why: &str) -> Refusal {
    refuse(StatusCode::UNPROCESSABLE_ENTITY, &format!("Invalid request.\n\n{why}"))
}

/// 422 or another status, for values of the right form that will not do.
pub(super) fn invalid(status: StatusCode, message: &str, errors: &Json) -> Refusal {
    let mut refusal = refuse(status, message);
    refusal.body["errors"] = errors.clone();
    refusal
}

/// One such value.
pub(super) fn custom(resource: &str, field: &str, message: &str) -> Refusal {
    let errors =
        json!([{ "resource": resource, "code": "custom", "field": field, "message": message }]);
    invalid(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed", &errors)
}

/// A member of a body that is a text, if it is there.
pub(super) fn text<'b>(body: &'b Json, key: &str) -> Result<Option<&'b str>, Refusal> {
    match &body[key] {
        Json::Null => Ok(None),
        Json::String(text) => Ok(Some(text)),
        other => Err(malformed(&format!("For 'properties/{key}', {other} is not a string."))),
    }
}

/// A member of a body that is true or false, if it is there.
pub(super) fn flag(body: &Json, key: &str) -> Result<Option<bool>, Refusal> {
    match &body[key] {
        Json::Null => Ok(None),
        Json::Bool(flag) => Ok(Some(*flag)),
        other => Err(malformed(&format!("For 'properties/{key}', {other} is not a boolean."))),
    }
}

/// The account that a token belongs to, as every answer shows it.
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
