//! What the environment says: variables, and who runs this process.

use crate::engine::{Caller, WorkflowRun};
use crate::publish::Logins;

/// An environment variable that is set to something. GitHub's token comes by the action's input, if it does.
pub(super) fn variable(name: &str) -> Option<String> {
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match name {
        "GITHUB_TOKEN" => read("INPUT_GITHUB-TOKEN").or_else(|| read(name)),
        _ => read(name),
    }
}

/// Who runs this process: an Actions run, or somebody by hand.
pub(super) fn caller(force: bool) -> Caller {
    let workflow = workflow_run();
    let attempt = variable("GITHUB_RUN_ATTEMPT").unwrap_or_default();
    let who = match &workflow {
        Some(run) => format!("{}{attempt}", holder_of_run(&run.id)),
        None => variable("USER").unwrap_or_else(|| "somebody".to_owned()),
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

/// What the holder of every claim of an Actions run begins with.
pub(super) fn holder_of_run(id: &str) -> String {
    format!("actions run {id}.")
}

/// The Actions run that this process is part of.
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
