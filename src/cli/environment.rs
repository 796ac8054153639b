//! Environment variables, and who runs this process.

use crate::planner::Caller;
use crate::publish::Logins;
use crate::runner::WorkflowRun;

/// Returns an environment variable that is not empty. The action's input takes precedence for `GITHUB_TOKEN`.
pub(super) fn variable(name: &str) -> Option<String> {
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match name {
        "GITHUB_TOKEN" => read("INPUT_GITHUB-TOKEN").or_else(|| read(name)),
        _ => read(name),
    }
}

/// Returns who runs this process: a workflow run, or a person.
pub(super) fn caller(force: bool) -> Caller {
    let workflow = workflow_run();
    let attempt = variable("GITHUB_RUN_ATTEMPT").unwrap_or_default();
    let who = match &workflow {
        Some(run) => format!("{}{attempt}", holder_prefix(&run.id)),
        None => variable("USER").unwrap_or_else(|| "unknown".to_owned()),
    };
    let moment = jiff::Timestamp::now().as_nanosecond();
    Caller {
        holder: format!("{who}, process {} at {moment}", std::process::id()),
        workflow,
        commit: variable("GITHUB_SHA"),
        force,
        logins: Logins::of(variable),
    }
}

/// Returns the prefix that the holder of every claim of a workflow run starts with.
pub(super) fn holder_prefix(id: &str) -> String {
    format!("actions run {id}.")
}

/// Returns the workflow run that this process is part of.
fn workflow_run() -> Option<WorkflowRun> {
    // `acme/web/.github/workflows/deploy.yml@refs/heads/main`
    let file = variable("GITHUB_WORKFLOW_REF")
        .map(|file| file.split_once('@').map_or(file.clone(), |(file, _)| file.to_owned()));
    Some(WorkflowRun {
        workflow: file.or_else(|| variable("GITHUB_WORKFLOW")).unwrap_or_default(),
        id: variable("GITHUB_RUN_ID")?,
        number: variable("GITHUB_RUN_NUMBER")?.parse().ok()?,
    })
}
