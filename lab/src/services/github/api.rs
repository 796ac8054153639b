//! The REST API: authentication, rate limits and routing. It is at `api.github.com` or, as on a GitHub
//! Enterprise Server, below `/api/v3`, which a loopback transport uses.

use bytes::Bytes;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::caller::{Caller, OWN_SERVER, is_own_server};
use super::response::{ApiResponse, json_response, not_found, refuse};
use super::{comments, deployments, jobs, limits, packages, pulls, repository, statuses};
use crate::services::message::authority;
use crate::world::World;

const HOST: &str = "api.github.com";

/// Returns whether a request is for the REST API.
pub(crate) fn is_api(request: &Request<Bytes>) -> bool {
    authority(request) == HOST || is_own_server(request)
}

/// Returns what kind of resource a request is about, to name the call.
pub(crate) fn resource_kind(request: &Request<Bytes>) -> &'static str {
    let path = path_segments(request);
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
    let Ok(shown) = request_token(request) else {
        return refuse(StatusCode::UNAUTHORIZED, "Bad credentials").response();
    };
    let token = shown.as_deref().and_then(|text| world.github.access_token(text, world.now));
    let token = token.cloned();
    if shown.is_some() && token.is_none() {
        return refuse(StatusCode::UNAUTHORIZED, "Bad credentials").response();
    }
    let path = path_segments(request);
    let about_limits = path == ["rate_limit"];
    let holder = shown.as_deref().zip(token.as_ref());
    let (window, refused) = limits::count(world, holder, u64::from(!about_limits));
    let mut response = match refused {
        Some(refused) => refused.response(),
        None if about_limits => json_response(StatusCode::OK, &window.describe()),
        None => {
            let caller = Caller { token: token.as_ref() };
            route(world, request, caller, &path).unwrap_or_else(|refusal| refusal.response())
        }
    };
    window.show(&mut response);
    response
}

/// Returns the token of a request; `Bearer` and `token` mean the same.
fn request_token(request: &Request<Bytes>) -> Result<Option<String>, ()> {
    let Some(header) = request.headers().get(AUTHORIZATION) else { return Ok(None) };
    let (scheme, token) = header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(())?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => Ok(Some(token.trim().to_owned())),
        _ => Err(()),
    }
}

/// Returns the decoded segments of the path.
fn path_segments(request: &Request<Bytes>) -> Vec<String> {
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
) -> ApiResponse {
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
    // Names of owners and repositories are case-insensitive (REST API, "owner").
    if !format!("{owner}/{name}").eq_ignore_ascii_case(&world.github.repository) {
        return Err(not_found());
    }
    match rest {
        [] if *request.method() == Method::GET => repository::get(world, caller),
        ["deployments"] => deployments::serve(world, request, caller),
        ["deployments", id] => deployments::serve_one(world, request, caller, id),
        ["deployments", id, "statuses"] => statuses::serve(world, request, caller, id),
        ["deployments", id, "statuses", status] => statuses::get(world, caller, id, status),
        // A branch named in place of a commit may contain slashes.
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
