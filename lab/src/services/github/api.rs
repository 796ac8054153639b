//! The REST API: who asks, what for, and how often. Under `api.github.com`, or below `/api/v3` where
//! GitHub is somebody's own server, as a loopback door's is.

use bytes::Bytes;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value as Json;

use super::answer::{Answer, Refusal, answer, not_found, refuse};
use super::{
    AccessToken, Level, comments, deployments, jobs, limits, packages, pulls, repository, statuses,
};
use crate::services::registry::authority;
use crate::world::World;

const HOST: &str = "api.github.com";

/// Below this path another server than GitHub's own has the API.
const OWN_SERVER: &str = "/api/v3/";

/// Whether a request is for the REST API.
pub(crate) fn is_api(request: &Request<Bytes>) -> bool {
    authority(request) == HOST || is_own_server(request)
}

/// Whether a request is for the REST API of somebody's own server.
pub(super) fn is_own_server(request: &Request<Bytes>) -> bool {
    request.uri().path().starts_with(OWN_SERVER)
}

/// What a request to the REST API is about, for names of calls.
pub(crate) fn part(request: &Request<Bytes>) -> &'static str {
    let path = words(request);
    match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["repos", _, _, "deployments"] | ["repos", _, _, "deployments", _] => "Deployment",
        ["repos", _, _, "deployments", _, "statuses", ..] => "DeploymentStatus",
        ["repos", _, _, "commits", .., "pulls"] => "Pulls",
        ["repos", _, _, "issues", _, "comments"] | ["repos", _, _, "issues", "comments", _] => {
            "Comment"
        }
        ["repos", _, _, "actions", "runs", _, "attempts", _, "jobs"] => "Jobs",
        [_, _, "packages", ..] => "Package",
        ["repos", _, _] => "Repository",
        _ => "Other",
    }
}

/// Who asks, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'w> {
    pub(super) token: Option<&'w AccessToken>,
}

impl Caller<'_> {
    /// Refuses who may not do something that needs this level of a permission. What is `open` everybody
    /// may read, "without authentication or the aforementioned permissions" (REST API). A repository is
    /// not found by those who may not see it.
    pub(super) fn needs(
        self,
        level: impl Fn(&AccessToken) -> Level,
        needed: Level,
        open: bool,
    ) -> Result<(), Refusal> {
        match self.token {
            _ if open && needed <= Level::Read => Ok(()),
            None if open => Err(refuse(StatusCode::UNAUTHORIZED, "Requires authentication")),
            None => Err(not_found()),
            Some(token) if level(token) >= needed => Ok(()),
            Some(token) if token.is_job => {
                Err(refuse(StatusCode::FORBIDDEN, "Resource not accessible by integration"))
            }
            Some(_) => Err(refuse(
                StatusCode::FORBIDDEN,
                "Resource not accessible by personal access token",
            )),
        }
    }

    /// The name of the account.
    pub(super) fn login(self) -> String {
        self.token.map_or_else(|| "ghost".to_owned(), |token| token.login.clone())
    }
}

/// Answers one request to the REST API.
pub fn serve(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    let mut response = match request.headers().contains_key(USER_AGENT) {
        true => counted(world, request),
        false => refuse(
            StatusCode::FORBIDDEN,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent \
             header.",
        )
        .response(),
    };
    let id = world.request_ids.uuid().to_ascii_uppercase();
    for (name, value) in [
        ("x-github-request-id", id.as_str()),
        ("x-github-media-type", "github.v3; format=json"),
        ("x-github-api-version-selected", "2022-11-28"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn counted(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    let Ok(shown) = shown(request) else {
        return refuse(StatusCode::UNAUTHORIZED, "Bad credentials").response();
    };
    let token = shown.as_deref().and_then(|text| world.github.access_token(text, world.now));
    let token = token.cloned();
    if shown.is_some() && token.is_none() {
        return refuse(StatusCode::UNAUTHORIZED, "Bad credentials").response();
    }
    let path = words(request);
    let about_limits = path == ["rate_limit"];
    let holder = shown.as_deref().zip(token.as_ref());
    let (window, refused) = limits::count(world, holder, u64::from(!about_limits));
    let mut response = match refused {
        Some(refused) => refused.response(),
        None if about_limits => answer(StatusCode::OK, &window.describe()),
        None => {
            let caller = Caller { token: token.as_ref() };
            route(world, request, caller, &path).unwrap_or_else(|refusal| refusal.response())
        }
    };
    window.show(&mut response);
    response
}

/// The token that a request shows; `Bearer` and `token` mean the same.
fn shown(request: &Request<Bytes>) -> Result<Option<String>, ()> {
    let Some(header) = request.headers().get(AUTHORIZATION) else { return Ok(None) };
    let (scheme, token) = header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(())?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => Ok(Some(token.trim().to_owned())),
        _ => Err(()),
    }
}

/// The words of the path, decoded.
fn words(request: &Request<Bytes>) -> Vec<String> {
    let path = request.uri().path();
    let path = path.strip_prefix(OWN_SERVER).unwrap_or(path);
    let words = path.split('/').filter(|word| !word.is_empty());
    words
        .map(|word| percent_encoding::percent_decode_str(word).decode_utf8_lossy().into_owned())
        .collect()
}

fn route(
    world: &mut World,
    request: &Request<Bytes>,
    caller: Caller<'_>,
    path: &[String],
) -> Answer {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let [first, owner, rest @ ..] = path.as_slice() else { return Err(not_found()) };
    if *first != "repos" {
        return match rest {
            ["packages", "container", rest @ ..] if matches!(*first, "orgs" | "users") => {
                packages::serve(world, request, caller, owner, rest)
            }
            _ => Err(not_found()),
        };
    }
    let [name, rest @ ..] = rest else { return Err(not_found()) };
    // Names of owners and repositories are not case sensitive (REST API, "owner").
    if !format!("{owner}/{name}").eq_ignore_ascii_case(&world.github.repository) {
        return Err(not_found());
    }
    match rest {
        [] if *request.method() == Method::GET => repository::get(world, caller),
        ["deployments"] => deployments::serve(world, request, caller),
        ["deployments", id] => deployments::serve_one(world, request, caller, id),
        ["deployments", id, "statuses"] => statuses::serve(world, request, caller, id),
        ["deployments", id, "statuses", status] => statuses::get(world, caller, id, status),
        // A branch that is named in place of a commit may have slashes.
        ["commits", name @ .., "pulls"] => {
            pulls::of_commit(world, request, caller, &name.join("/"))
        }
        ["issues", "comments", id] => comments::serve_one(world, request, caller, id),
        ["issues", number, "comments"] => comments::serve(world, request, caller, number),
        ["actions", "runs", run, "attempts", attempt, "jobs"] => {
            jobs::of_attempt(world, request, caller, run, attempt)
        }
        _ => Err(not_found()),
    }
}

/// The body of a request, which must be a JSON object.
pub(super) fn body(request: &Request<Bytes>) -> Result<Json, Refusal> {
    let json: Option<Json> = serde_json::from_slice(request.body()).ok();
    match json {
        Some(json @ Json::Object(_)) => Ok(json),
        Some(_) => Err(refuse(StatusCode::BAD_REQUEST, "Body should be a JSON object")),
        None => Err(refuse(StatusCode::BAD_REQUEST, "Problems parsing JSON")),
    }
}
