//! The repository (REST API, "Repositories").

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::caller::Caller;
use super::response::{ApiResponse, json_response, user};
use super::state::State;
use super::tokens::Level;
use crate::world::World;

/// Answers `GET /repos/{owner}/{repo}`.
pub(super) fn get(world: &World, caller: Caller<'_>) -> ApiResponse {
    caller.needs(|_| Level::Read, Level::Read, !world.github.private)?;
    Ok(json_response(StatusCode::OK, &described(&world.github)))
}

/// Returns the repository's API URL.
pub(super) fn url(github: &State) -> String {
    format!("https://api.github.com/repos/{}", github.repository)
}

/// Returns the URL of the repository's page.
pub(super) fn page_url(github: &State) -> String {
    format!("https://github.com/{}", github.repository)
}

/// Formats the repository.
pub(super) fn described(github: &State) -> Json {
    let (owner, name) = github.repository.split_once('/').unwrap_or_default();
    let mut owner = user(owner);
    owner["id"] = github.owner_id.into();
    json!({
        "id": github.repository_id,
        "node_id": format!("R_{}", github.repository_id),
        "name": name,
        "full_name": github.repository,
        "owner": owner,
        "private": github.private,
        "visibility": if github.private { "private" } else { "public" },
        "html_url": page_url(github),
        "url": url(github),
        "default_branch": DEFAULT_BRANCH,
        "fork": false,
        "archived": false,
        "disabled": false,
    })
}

/// The default branch, into which pull requests are merged.
pub(super) const DEFAULT_BRANCH: &str = "main";
