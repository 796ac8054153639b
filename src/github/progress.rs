//! Following a run: each change of its state becomes a status of the deployment.

use tokio::sync::mpsc::UnboundedReceiver;

use super::deployment::Deployment;
use super::{GitHub, GitHubError, Update};

/// Adds a status for each update until there are no more. Of updates that come while one is being sent, only
/// the newest is sent. Returns why statuses are missing, if some are.
pub async fn follow(github: GitHub, mut updates: UnboundedReceiver<Update>) -> Option<String> {
    let mut deployment = Known::Unasked;
    let mut missing = None;
    while let Some(mut update) = updates.recv().await {
        while let Ok(newer) = updates.try_recv() {
            update = Update { begun: update.begun || newer.begun, ..newer };
        }
        match add(&github, &mut deployment, &update).await {
            Ok(()) => {}
            // Only what may pass by itself is worth another try.
            Err(error) if error.is_transient() => missing = Some(error),
            Err(error) => return Some(format!("GitHub deployment: {error}")),
        }
    }
    missing.map(|error| format!("a status of the GitHub deployment: {error}"))
}

/// What is known of the job's deployment.
enum Known {
    Unasked,
    /// There was none before the rollout began.
    None,
    Some(Deployment),
}

async fn add(github: &GitHub, known: &mut Known, update: &Update) -> Result<(), GitHubError> {
    if let Known::Unasked = known {
        *known = github.deployment().await?.map_or(Known::None, Known::Some);
    }
    if let Known::None = known
        && update.begun
        && let Some(created) = github.deploy().await?
    {
        *known = Known::Some(created);
    }
    match known {
        Known::Some(deployment) => github.report(deployment, update).await,
        Known::Unasked | Known::None => Ok(()),
    }
}
