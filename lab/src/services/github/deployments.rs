//! Deployments (REST API, "Deployments").

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::answer::{
    Answer, Refusal, answer, flag, invalid, malformed, not_found, refuse, text, user,
};
use super::api::{Caller, body};
use super::paging::page;
use super::{Level, State, repository};
use crate::services::registry::parameter;
use crate::world::World;

/// A deployment with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Its number.
    pub id: u64,
    /// The branch, tag or commit that it was asked for.
    pub git_ref: String,
    /// The commit.
    pub sha: String,
    /// What is to be done, usually `deploy`.
    pub task: String,
    /// What the one who asked gave along.
    pub payload: Json,
    /// Where it was to go.
    pub original_environment: String,
    /// Where it goes: a status may say otherwise.
    pub environment: String,
    /// What it is, for a person.
    pub description: Option<String>,
    /// Who asked.
    pub creator: String,
    /// Whether the environment passes away.
    pub transient: bool,
    /// Whether users meet the environment.
    pub production: bool,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it or its statuses last changed.
    pub updated: Timestamp,
    /// What became of it, oldest first.
    pub statuses: Vec<Status>,
}

/// One step of what became of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its number.
    pub id: u64,
    /// `queued`, `pending`, `in_progress`, `success`, `failure`, `error` or `inactive`.
    pub state: String,
    /// What happened, for a person.
    pub description: String,
    /// Where it happened.
    pub environment: String,
    /// Where to read more.
    pub log_url: String,
    /// Where the result can be seen.
    pub environment_url: String,
    /// Who said so.
    pub creator: String,
    /// When.
    pub created: Timestamp,
}

impl Deployment {
    /// Its present state; `None` before the first status.
    pub fn state(&self) -> Option<&str> {
        self.statuses.last().map(|status| status.state.as_str())
    }

    /// Whether it is what runs in its environment.
    fn is_active(&self) -> bool {
        self.state() == Some("success")
    }
}

/// Answers a request to `/repos/{owner}/{repo}/deployments`.
pub(super) fn serve(world: &mut World, request: &Request<Bytes>, caller: Caller<'_>) -> Answer {
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

/// Answers a request to one of them.
pub(super) fn serve_one(
    world: &mut World,
    request: &Request<Bytes>,
    caller: Caller<'_>,
    id: &str,
) -> Answer {
    let open = !world.github.private;
    match *request.method() {
        Method::GET => {
            caller.needs(|token| token.deployments, Level::Read, open)?;
            let deployment = find(&world.github, id)?;
            Ok(answer(StatusCode::OK, &described(&world.github, deployment)))
        }
        Method::DELETE => {
            caller.needs(|token| token.deployments, Level::Write, open)?;
            delete(world, id)
        }
        _ => Err(not_found()),
    }
}

/// The deployment of this number, or the refusal.
pub(super) fn find<'s>(github: &'s State, id: &str) -> Result<&'s Deployment, Refusal> {
    let found = id.parse::<u64>().ok();
    let found = github.deployments.iter().find(|deployment| Some(deployment.id) == found);
    found.ok_or_else(not_found)
}

fn create(world: &mut World, body: &Json, creator: &str) -> Answer {
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
        return Ok(answer(StatusCode::ACCEPTED, &json!({ "message": message })));
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
    Ok(answer(StatusCode::CREATED, &described))
}

/// The commit that a name means, of those that there are: the job's.
pub(super) fn resolve(github: &State, name: &str) -> Option<String> {
    let full = github.git_ref.as_str();
    let short = full.strip_prefix("refs/heads/").or_else(|| full.strip_prefix("refs/tags/"));
    let known = name == full
        || Some(name) == short
        || Some(name) == full.strip_prefix("refs/")
        || (name.len() >= 7 && github.commit.starts_with(name));
    known.then(|| github.commit.clone())
}

/// The checks that a deployment waits for: those that it names, or all where it names none.
fn check_contexts(github: &State, body: &Json, git_ref: &str) -> Result<(), Refusal> {
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

/// The newest first; `sha`, `ref`, `task` and `environment` narrow it (REST API, "List deployments").
fn list(world: &World, request: &Request<Bytes>) -> Answer {
    let github = &world.github;
    let fits = |key: &str, value: &str| parameter(request, key).is_none_or(|w| w == value);
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

/// What is active stays, unless it is alone.
fn delete(world: &mut World, id: &str) -> Answer {
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

/// An instant to the second, as the API writes it.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
