//! Following a run: each change of its state becomes a status of the deployment.

use tokio::sync::mpsc::UnboundedReceiver;

use super::deployment::Deployment;
use super::{GitHub, GitHubError, Update};

/// Adds a status for each update until there are no more, and gives what could not be done. Updates that
/// came while one was being sent are passed over, but for the newest.
pub async fn follow(github: GitHub, mut updates: UnboundedReceiver<Update>) -> Option<String> {
    let mut deployment = None;
    while let Some(mut update) = updates.recv().await {
        while let Ok(newer) = updates.try_recv() {
            update = Update { begun: update.begun || newer.begun, ..newer };
        }
        if let Err(error) = add(&github, &mut deployment, &update).await {
            return Some(format!("GitHub deployment: {error}"));
        }
    }
    None
}

async fn add(
    github: &GitHub,
    known: &mut Option<Deployment>,
    update: &Update,
) -> Result<(), GitHubError> {
    if known.is_none() {
        *known = github.deployment().await?;
    }
    if known.is_none() && update.begun {
        *known = github.deploy().await?;
    }
    match known {
        Some(deployment) => github.report(deployment, update).await,
        None => Ok(()),
    }
}
