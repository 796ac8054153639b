//! The deployment of the running job: found where GitHub made one, made where it did not.
//!
//! A job with `environment:` gets a deployment from GitHub. A second one would show every rollout twice,
//! so statuses are added to the first; one is made only for a job without, as with
//! `environment: { deployment: false }`.

use serde::Deserialize;
use serde_json::json;

use super::{GitHub, GitHubError, Update};

/// What reading and writing deployments takes.
const PERMISSION: &str = "deployments: write";

/// How many deployments of the commit are looked at, the newest first.
const LOOKED_AT: usize = 20;

/// A deployment, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Deployment {
    pub(super) id: u64,
    #[serde(default)]
    payload: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    log_url: String,
    #[serde(default)]
    target_url: String,
}

impl GitHub {
    /// The deployment that belongs to this run: GitHub's own, known by the run in its statuses' addresses,
    /// or one that an earlier attempt of this run made.
    pub(super) async fn deployment(&self) -> Result<Option<Deployment>, GitHubError> {
        let job = &self.job;
        let mut query = vec![("sha", job.commit.as_str()), ("per_page", "100")];
        query.extend(job.environment.as_deref().map(|name| ("environment", name)));
        let known: Vec<Deployment> = self.get("/deployments", &query, PERMISSION).await?;
        for deployment in known.into_iter().take(LOOKED_AT) {
            if deployment.payload["cutover_run"].as_str() == Some(&job.run) {
                return Ok(Some(deployment));
            }
            let path = format!("/deployments/{}/statuses", deployment.id);
            let statuses: Vec<Status> = self.get(&path, &[("per_page", "100")], PERMISSION).await?;
            let is_ours = |url: &str| is_of_run(url, &job.run);
            if statuses.iter().any(|s| is_ours(&s.log_url) || is_ours(&s.target_url)) {
                return Ok(Some(deployment));
            }
        }
        Ok(None)
    }

    /// A deployment of the commit to the environment that the workflow names; `None` where it names none.
    /// The commit is deployed as it is: no check is waited for, and nothing is merged into it.
    pub(super) async fn deploy(&self) -> Result<Option<Deployment>, GitHubError> {
        let Some(environment) = &self.job.environment else { return Ok(None) };
        let body = json!({
            "ref": self.job.commit,
            "environment": environment,
            "description": "by cutover",
            "auto_merge": false,
            "required_contexts": [],
            "payload": { "cutover_run": self.job.run },
        });
        self.post("/deployments", &body, PERMISSION).await.map(Some)
    }

    /// Adds a status.
    pub(super) async fn report(&self, to: &Deployment, update: &Update) -> Result<(), GitHubError> {
        let mut body = json!({
            "state": update.state.name(),
            "description": update.description,
            "log_url": self.job.run_url,
        });
        if let Some(url) = &self.job.environment_url {
            body["environment_url"] = url.as_str().into();
        }
        let path = format!("/deployments/{}/statuses", to.id);
        self.post_again::<serde_json::Value>(&path, &body, PERMISSION).await.map(|_| ())
    }
}

/// Whether an address is of a run's page or of one of its jobs:
/// `https://github.com/acme/web/actions/runs/7/job/9`.
fn is_of_run(url: &str, run: &str) -> bool {
    let after = url.split_once("/actions/runs/").map(|(_, after)| after);
    after.and_then(|after| after.split(['/', '?', '#']).next()) == Some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_known_by_its_whole_number() {
        let url = "https://github.com/acme/web/actions/runs/77/job/9";
        assert!(is_of_run(url, "77") && !is_of_run(url, "7") && !is_of_run(url, "777"));
        assert!(is_of_run("https://ghe.example/a/b/actions/runs/77", "77"));
        assert!(!is_of_run("", "77") && !is_of_run("https://example.com/77", "77"));
    }
}
