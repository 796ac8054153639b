//! Deployments (REST API, "Deployments").

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value as Json, json};

use super::caller::{Caller, body};
use super::deployment::Deployment;
use super::paging::page;
use super::repository;
use super::response::{
    ApiResponse, ErrorResponse, flag, invalid, json_response, malformed, not_found, refuse, text,
    time, user,
};
use super::state::State;
use super::tokens::Level;
use crate::services::message::query_parameter;
use crate::world::World;

/// Answers a request to `/repos/{owner}/{repo}/deployments`.
pub(super) fn serve(
    world: &mut World,
    request: &Request<Bytes>,
    caller: Caller<'_>,
) -> ApiResponse {
    let open = !world.github.private;
    match *request.method() {
        Method::GET => {
            caller.needs(|token| token.deployments, Level::Read, open)?;
            list(world, request)
        }
        Method::POST => {
            caller.needs(|token| token.deployments, Level::Write, open)?;
            create(world, &body(request)?, &caller.login())
        }
        _ => Err(not_found()),
    }
}

/// Answers a request to `/repos/{owner}/{repo}/deployments/{id}`.
pub(super) fn serve_one(
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
            Ok(json_response(StatusCode::OK, &described(&world.github, deployment)))
        }
        Method::DELETE => {
            caller.needs(|token| token.deployments, Level::Write, open)?;
            delete(world, id)
        }
        _ => Err(not_found()),
    }
}

/// Returns the deployment with this id, or a 404.
pub(super) fn find<'s>(github: &'s State, id: &str) -> Result<&'s Deployment, ErrorResponse> {
    let found = id.parse::<u64>().ok();
    let found = github.deployments.iter().find(|deployment| Some(deployment.id) == found);
    found.ok_or_else(not_found)
}

fn create(world: &mut World, body: &Json, creator: &str) -> ApiResponse {
    let git_ref =
        text(body, "ref")?.ok_or_else(|| malformed("\"ref\" wasn't supplied."))?.to_owned();
    let auto_merge = flag(body, "auto_merge")?.unwrap_or(true);
    let environment = text(body, "environment")?.unwrap_or("production").to_owned();
    let production = flag(body, "production_environment")?;
    let transient = flag(body, "transient_environment")?.unwrap_or(false);
    let task = text(body, "task")?.unwrap_or("deploy").to_owned();
    let description = text(body, "description")?.map(str::to_owned);
    let github = &mut world.github;
    let sha = resolve(github, &git_ref).ok_or_else(|| {
        refuse(StatusCode::UNPROCESSABLE_ENTITY, &format!("No ref found for: {git_ref}"))
    })?;
    if github.behind && auto_merge {
        let message = format!("Auto-merged main into {git_ref} on deployment.");
        return Ok(json_response(StatusCode::ACCEPTED, &json!({ "message": message })));
    }
    check_contexts(github, body, &git_ref)?;
    let deployment = Deployment {
        id: github.number(),
        git_ref,
        sha,
        task,
        payload: if body["payload"].is_null() { json!({}) } else { body["payload"].clone() },
        original_environment: environment.clone(),
        production: production.unwrap_or(environment == "production"),
        environment,
        description,
        creator: creator.to_owned(),
        transient,
        created: world.now,
        updated: world.now,
        statuses: Vec::new(),
    };
    let described = described(github, &deployment);
    github.deployments.push(deployment);
    Ok(json_response(StatusCode::CREATED, &described))
}

/// Resolves a name to a commit; only the job's commit is known.
pub(super) fn resolve(github: &State, name: &str) -> Option<String> {
    let full = github.git_ref.as_str();
    let short = full.strip_prefix("refs/heads/").or_else(|| full.strip_prefix("refs/tags/"));
    let known = name == full
        || Some(name) == short
        || Some(name) == full.strip_prefix("refs/")
        || (name.len() >= 7 && github.commit.starts_with(name));
    known.then(|| github.commit.clone())
}

/// Refuses a deployment whose required checks haven't succeeded: those that it names, or all if it names
/// none.
fn check_contexts(github: &State, body: &Json, git_ref: &str) -> Result<(), ErrorResponse> {
    let wanted = match &body["required_contexts"] {
        Json::Null => None,
        Json::Array(names) => Some(names.iter().filter_map(Json::as_str).collect::<Vec<_>>()),
        other => {
            let why = format!("For 'properties/required_contexts', {other} is not an array.");
            return Err(malformed(&why));
        }
    };
    let missing = github
        .unfinished_checks
        .iter()
        .filter(|check| wanted.as_ref().is_none_or(|wanted| wanted.contains(&check.as_str())));
    let missing: Vec<Json> =
        missing.map(|check| json!({ "context": check, "state": "pending" })).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let errors = json!([{
        "contexts": missing,
        "resource": "Deployment",
        "field": "required_contexts",
        "code": "invalid",
    }]);
    let message = format!("Conflict: Commit status checks failed for {git_ref}.");
    Err(invalid(StatusCode::CONFLICT, &message, &errors))
}

/// Lists deployments, newest first, filtered by `sha`, `ref`, `task` and `environment` (REST API, "List
/// deployments").
fn list(world: &World, request: &Request<Bytes>) -> ApiResponse {
    let github = &world.github;
    let fits = |key: &str, value: &str| query_parameter(request, key).is_none_or(|w| w == value);
    let mut found: Vec<&Deployment> = github
        .deployments
        .iter()
        .filter(|d| {
            fits("sha", &d.sha)
                && fits("ref", &d.git_ref)
                && fits("task", &d.task)
                && fits("environment", &d.environment)
        })
        .collect();
    found.reverse();
    let all: Vec<Json> = found.into_iter().map(|found| described(github, found)).collect();
    Ok(page(request, &all))
}

/// Deletes a deployment; an active one only if it is alone in its environment.
fn delete(world: &mut World, id: &str) -> ApiResponse {
    let deployment = find(&world.github, id)?;
    let (id, environment) = (deployment.id, &deployment.environment);
    let alike = world.github.deployments.iter().filter(|other| other.environment == *environment);
    if deployment.is_active() && alike.count() > 1 {
        return Err(refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "We cannot delete an active deployment unless it is the only deployment in a given \
             environment.",
        ));
    }
    world.github.deployments.retain(|deployment| deployment.id != id);
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

fn described(github: &State, deployment: &Deployment) -> Json {
    let repository = repository::url(github);
    let url = format!("{repository}/deployments/{}", deployment.id);
    json!({
        "url": url,
        "id": deployment.id,
        "node_id": format!("DE_{}", deployment.id),
        "sha": deployment.sha,
        "ref": deployment.git_ref,
        "task": deployment.task,
        "payload": deployment.payload,
        "original_environment": deployment.original_environment,
        "environment": deployment.environment,
        "description": deployment.description,
        "creator": user(&deployment.creator),
        "created_at": time(deployment.created),
        "updated_at": time(deployment.updated),
        "statuses_url": format!("{url}/statuses"),
        "repository_url": repository,
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
    })
}
