//! Jobs of a workflow run (REST API, "Workflow jobs"): the lab has one run with one job, the current one.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::json;

use super::caller::Caller;
use super::paging::counted_page;
use super::repository;
use super::response::{ApiResponse, not_found, time};
use super::tokens::Level;
use crate::world::World;

/// Answers `GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs`, which requires
/// `actions: read`. The lab has no earlier attempts.
pub(super) fn of_attempt(
    world: &World,
    request: &Request<Bytes>,
    caller: Caller<'_>,
    run: &str,
    attempt: &str,
) -> ApiResponse {
    if *request.method() != Method::GET {
        return Err(not_found());
    }
    let github = &world.github;
    caller.needs(|token| token.actions, Level::Read, !github.private)?;
    if run.parse() != Ok(github.run_id) || attempt.parse() != Ok(github.run_attempt) {
        return Err(not_found());
    }
    let (api, page) = (repository::url(github), repository::page_url(github));
    let (id, began) = (github.job_id, time(world.began));
    let branch = github.git_ref.strip_prefix("refs/heads/").unwrap_or(&github.git_ref);
    let job = json!({
        "id": id,
        "run_id": github.run_id,
        "workflow_name": "deploy",
        "head_branch": branch,
        "run_url": format!("{api}/actions/runs/{}", github.run_id),
        "run_attempt": github.run_attempt,
        "node_id": format!("CR_{id}"),
        "head_sha": github.commit,
        "url": format!("{api}/actions/jobs/{id}"),
        // The URL of a job page as it appears in links (checkstyle/checkstyle#16193); the documentation's
        // example has an older form.
        "html_url": format!("{page}/actions/runs/{}/job/{id}", github.run_id),
        "status": "in_progress",
        "conclusion": null,
        "created_at": began,
        "started_at": began,
        "completed_at": null,
        "name": github.job_name,
        "steps": [],
        "check_run_url": format!("{api}/check-runs/{id}"),
        "labels": ["ubuntu-latest"],
        // The names and ids of hosted runners are guesses.
        "runner_id": 1,
        "runner_name": github.runner_name,
        "runner_group_id": 0,
        "runner_group_name": "GitHub Actions",
    });
    Ok(counted_page(request, "jobs", &[job]))
}
