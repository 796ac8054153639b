//! The statuses of deployments (REST API, "Deployment statuses").

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value as Json, json};

use super::caller::{Caller, body};
use super::deployment::{Deployment, Status};
use super::deployments::find;
use super::paging::page;
use super::repository;
use super::response::{
    ApiResponse, ErrorResponse, custom, flag, json_response, malformed, not_found, text, time, user,
};
use super::state::State;
use super::tokens::Level;
use crate::world::World;

const STATES: [&str; 7] =
    ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];

/// The longest description, in characters (REST API).
const DESCRIPTION: usize = 140;

/// Answers a request to `/repos/{owner}/{repo}/deployments/{id}/statuses`.
pub(super) fn serve(
    world: &mut World,
    request: &Request<Bytes>,
    caller: Caller<'_>,
    id: &str,
) -> ApiResponse {
    let open = !world.github.private;
    match *request.method() {
        Method::GET => {
            caller.needs(|token| token.deployments, Level::Read, open)?;
            let deployment = find(&world.github, id)?;
            let newest_first = deployment.statuses.iter().rev();
            let all: Vec<Json> =
                newest_first.map(|status| described(&world.github, deployment, status)).collect();
            Ok(page(request, &all))
        }
        Method::POST => {
            caller.needs(|token| token.deployments, Level::Write, open)?;
            find(&world.github, id)?;
            create(world, &body(request)?, id, &caller.login())
        }
        _ => Err(not_found()),
    }
}

/// Answers a request to `/repos/{owner}/{repo}/deployments/{id}/statuses/{status_id}`.
pub(super) fn get(world: &World, caller: Caller<'_>, id: &str, status: &str) -> ApiResponse {
    caller.needs(|token| token.deployments, Level::Read, !world.github.private)?;
    let deployment = find(&world.github, id)?;
    let number = status.parse::<u64>().ok();
    let found = deployment.statuses.iter().find(|status| Some(status.id) == number);
    let found = found.ok_or_else(not_found)?;
    Ok(json_response(StatusCode::OK, &described(&world.github, deployment, found)))
}

fn create(world: &mut World, body: &Json, id: &str, creator: &str) -> ApiResponse {
    let state = text(body, "state")?.ok_or_else(|| malformed("\"state\" wasn't supplied."))?;
    if !STATES.contains(&state) {
        return Err(custom("DeploymentStatus", "state", "state is not included in the list"));
    }
    let description = text(body, "description")?.unwrap_or_default();
    if description.chars().count() > DESCRIPTION {
        let message = format!("description is too long (maximum is {DESCRIPTION} characters)");
        return Err(custom("DeploymentStatus", "description", &message));
    }
    let auto_inactive = flag(body, "auto_inactive")?.unwrap_or(true);
    // `target_url` is the older name of `log_url`.
    let log_url = address(body, "log_url")?.or(address(body, "target_url")?).unwrap_or_default();
    let environment_url = address(body, "environment_url")?.unwrap_or_default();
    let environment = text(body, "environment")?;
    let number = world.github.number();
    let (now, id) = (world.now, find(&world.github, id)?.id);
    let deployment = world.github.deployments.iter_mut().find(|deployment| deployment.id == id);
    let deployment = deployment.ok_or_else(not_found)?;
    if let Some(environment) = environment {
        environment.clone_into(&mut deployment.environment);
    }
    let status = Status {
        id: number,
        state: state.to_owned(),
        description: description.to_owned(),
        environment: deployment.environment.clone(),
        log_url,
        environment_url,
        creator: creator.to_owned(),
        created: now,
    };
    deployment.statuses.push(status.clone());
    deployment.updated = now;
    let deployment = deployment.clone();
    if state == "success" && auto_inactive {
        deactivate_earlier(&mut world.github, &deployment);
    }
    Ok(json_response(StatusCode::CREATED, &described(&world.github, &deployment, &status)))
}

/// Marks earlier successful deployments to the same environment as inactive: "all prior non-transient,
/// non-production environment deployments" (REST API, `auto_inactive`). That "prior" means created earlier is
/// a guess.
fn deactivate_earlier(github: &mut State, newest: &Deployment) {
    let others: Vec<usize> = (0..github.deployments.len())
        .filter(|index| {
            let other = &github.deployments[*index];
            other.id < newest.id
                && other.environment == newest.environment
                && !other.transient
                && !other.production
                && other.state() == Some("success")
        })
        .collect();
    for index in others {
        let id = github.number();
        let other = &mut github.deployments[index];
        other.statuses.push(Status {
            id,
            state: "inactive".to_owned(),
            description: String::new(),
            environment: other.environment.clone(),
            log_url: String::new(),
            environment_url: String::new(),
            creator: newest.creator.clone(),
            created: newest.updated,
        });
        other.updated = newest.updated;
    }
}

/// Returns an optional URL member.
fn address(body: &Json, key: &str) -> Result<Option<String>, ErrorResponse> {
    let Some(url) = text(body, key)? else { return Ok(None) };
    let is_web = url.is_empty() || url.starts_with("https://") || url.starts_with("http://");
    match is_web {
        true => Ok(Some(url.to_owned())),
        false => Err(custom("DeploymentStatus", key, &format!("{key} must use http(s) scheme"))),
    }
}

fn described(github: &State, deployment: &Deployment, status: &Status) -> Json {
    let repository = repository::url(github);
    let url = format!("{repository}/deployments/{}", deployment.id);
    json!({
        "url": format!("{url}/statuses/{}", status.id),
        "id": status.id,
        "node_id": format!("DES_{}", status.id),
        "state": status.state,
        "creator": user(&status.creator),
        "description": status.description,
        "environment": status.environment,
        "target_url": status.log_url,
        "created_at": time(status.created),
        "updated_at": time(status.created),
        "deployment_url": url,
        "repository_url": repository,
        "environment_url": status.environment_url,
        "log_url": status.log_url,
    })
}
