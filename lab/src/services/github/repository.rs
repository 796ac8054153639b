//! The repository (REST API, "Repositories").

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::answer::{Answer, answer, user};
use super::api::Caller;
use super::{Level, State};
use crate::world::World;

/// Answers `GET /repos/{owner}/{repo}`.
pub(super) fn get(world: &World, caller: Caller<'_>) -> Answer {
    caller.needs(|_| Level::Read, Level::Read, !world.github.private)?;
    Ok(answer(StatusCode::OK, &described(&world.github)))
}

/// The address of the repository in the API.
pub(super) fn url(github: &State) -> String {
    format!("https://api.github.com/repos/{}", github.repository)
}

/// The address of the repository for people.
pub(super) fn page_url(github: &State) -> String {
    format!("https://github.com/{}", github.repository)
}

/// The repository as answers show it.
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

/// The branch that pull requests are merged into.
pub(super) const DEFAULT_BRANCH: &str = "main";
