//! Comments on pull requests, which belong to issues in GitHub's API (REST API, "Issue comments").

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Method, Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::caller::{Caller, body};
use super::comment::Comment;
use super::paging::page;
use super::response::{
    ApiResponse, ErrorResponse, invalid, json_response, malformed, not_found, text, time, user,
};
use super::state::State;
use super::tokens::{AccessToken, Level};
use super::{pulls, repository};
use crate::services::message::query_parameter;
use crate::world::World;

/// The longest body, in characters (GitHub's own error text, quoted in danger/danger#424).
const LONGEST: usize = 65_536;

/// Returns the permission for comments on a pull request: either one is enough (GitHub docs, "Permissions
/// required for GitHub Apps").
fn level(token: &AccessToken) -> Level {
    token.issues.max(token.pull_requests)
}

/// Answers a request to `/repos/{owner}/{repo}/issues/{issue_number}/comments`.
pub(super) fn serve(
    world: &mut World,
    request: &Request<Bytes>,
    caller: Caller<'_>,
    number: &str,
) -> ApiResponse {
    let open = !world.github.private;
    match *request.method() {
        Method::GET => {
            caller.needs(level, Level::Read, open)?;
            list(&world.github, request, number)
        }
        Method::POST => {
            caller.needs(level, Level::Write, open)?;
            create(world, &body(request)?, number, caller.login())
        }
        _ => Err(not_found()),
    }
}

/// Answers a request to `/repos/{owner}/{repo}/issues/comments/{comment_id}`. Anyone who may write may also
/// change the comments of others. A change is a PATCH; that GitHub doesn't accept POST for it is a guess.
pub(super) fn serve_one(
    world: &mut World,
    request: &Request<Bytes>,
    caller: Caller<'_>,
    id: &str,
) -> ApiResponse {
    let open = !world.github.private;
    match *request.method() {
        Method::GET => {
            caller.needs(level, Level::Read, open)?;
            let at = find(&world.github, id)?;
            Ok(json_response(StatusCode::OK, &described(&world.github, &world.github.comments[at])))
        }
        Method::PATCH => {
            caller.needs(level, Level::Write, open)?;
            let at = find(&world.github, id)?;
            let text = written(&body(request)?)?;
            let comment = &mut world.github.comments[at];
            comment.body = text;
            comment.updated = world.now;
            Ok(json_response(StatusCode::OK, &described(&world.github, &world.github.comments[at])))
        }
        _ => Err(not_found()),
    }
}

/// Returns the index of the comment with this id in [`State::comments`].
fn find(github: &State, id: &str) -> Result<usize, ErrorResponse> {
    let id = id.parse::<u64>().ok();
    github.comments.iter().position(|comment| Some(comment.id) == id).ok_or_else(not_found)
}

/// Lists comments, which "are ordered by ascending ID"; `since` omits those last changed before it. That an
/// invalid `since` is ignored is a guess.
fn list(github: &State, request: &Request<Bytes>, number: &str) -> ApiResponse {
    let number = pulls::find(github, number)?.number;
    let since = query_parameter(request, "since").and_then(|text| text.parse::<Timestamp>().ok());
    let found = github.comments.iter().filter(|comment| {
        comment.pull == number && since.is_none_or(|since| comment.updated >= since)
    });
    let all: Vec<Json> = found.map(|comment| described(github, comment)).collect();
    Ok(page(request, &all))
}

fn create(world: &mut World, body: &Json, number: &str, author: String) -> ApiResponse {
    let pull = pulls::find(&world.github, number)?.number;
    let body = written(body)?;
    let (id, now) = (world.github.number(), world.now);
    let comment = Comment { id, pull, body, author, created: now, updated: now };
    let described = described(&world.github, &comment);
    world.github.comments.push(comment);
    let mut response = json_response(StatusCode::CREATED, &described);
    if let Some(Ok(url)) = described["url"].as_str().map(HeaderValue::from_str) {
        response.headers_mut().insert(LOCATION, url);
    }
    Ok(response)
}

/// Returns the validated text of a new or changed comment. The form of the errors is that of creation in
/// reg-viz/reg-actions#123; that a change is refused in the same form, and the wording for a blank body, are
/// guesses.
fn written(body: &Json) -> Result<String, ErrorResponse> {
    let text = text(body, "body")?.ok_or_else(|| malformed("\"body\" wasn't supplied."))?;
    let message = if text.trim().is_empty() {
        "Body cannot be blank".to_owned()
    } else if text.chars().count() > LONGEST {
        format!("Body is too long (maximum is {LONGEST} characters)")
    } else {
        return Ok(text.to_owned());
    };
    let errors = json!([{
        "resource": "IssueComment",
        "code": "unprocessable",
        "field": "data",
        "message": message,
    }]);
    Err(invalid(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed", &errors))
}

/// Formats the schema "Issue Comment" of the REST API.
fn described(github: &State, comment: &Comment) -> Json {
    let (api, page) = (repository::url(github), repository::page_url(github));
    let (id, pull) = (comment.id, comment.pull);
    json!({
        "url": format!("{api}/issues/comments/{id}"),
        "html_url": format!("{page}/pull/{pull}#issuecomment-{id}"),
        "issue_url": format!("{api}/issues/{pull}"),
        "id": id,
        "node_id": format!("IC_{id}"),
        "user": user(&comment.author),
        "created_at": time(comment.created),
        "updated_at": time(comment.updated),
        "body": comment.body,
        // That an app has no association with the repository is a guess.
        "author_association": if comment.author.ends_with("[bot]") { "NONE" } else { "MEMBER" },
    })
}
