//! Jobs of a workflow run (REST API, "Workflow jobs"): the lab has one run with one job, the present one.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::json;

use super::answer::{Answer, not_found};
use super::api::Caller;
use super::deployments::time;
use super::paging::counted_page;
use super::{Level, repository};
use crate::world::World;

/// Answers `GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs`, which needs
/// `actions: read`. The lab knows nothing of earlier attempts.
pub(super) fn of_attempt(
    world: &World,
    request: &Request<Bytes>,
    caller: Caller<'_>,
    run: &str,
    attempt: &str,
) -> Answer {
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
        // The page of a job as people link it (checkstyle/checkstyle#16193); the example in the
        // documentation has an older form.
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
        // The names and numbers of hosted runners are guesses.
        "runner_id": 1,
        "runner_name": github.runner_name,
        "runner_group_id": 0,
        "runner_group_name": "GitHub Actions",
    });
    Ok(counted_page(request, "jobs", &[job]))
}
