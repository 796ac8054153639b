//! Finds the deployment that GitHub created for the running job, or creates one.
//!
//! GitHub creates a deployment for a job with `environment:`. A second one would show every rollout twice, so
//! statuses are added to the first. cutover creates one only if there is none, as with `environment: {
//! deployment: false }`.

use serde::Deserialize;
use serde_json::json;

use super::{GitHub, GitHubError, Update};

/// The permission that reading and writing deployments needs.
const PERMISSION: &str = "deployments: write";

/// How many deployments of the commit are searched, newest first.
const LOOKED_AT: usize = 20;

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Deployment {
    pub(super) id: u64,
    #[serde(default)]
    environment: String,
    #[serde(default)]
    payload: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Status {
    log_url: Option<String>,
    target_url: Option<String>,
}

impl GitHub {
    /// Finds the deployment of this job: one that an earlier attempt of cutover created, or the one that GitHub
    /// created, recognized by the job in the URLs of its statuses.
    ///
    /// # Errors
    /// If a request fails, or deployments of several environments could belong to the job.
    pub(super) async fn deployment(&self) -> Result<Option<Deployment>, GitHubError> {
        let job = &self.job;
        let mut query = vec![("sha", job.commit.as_str()), ("per_page", "100")];
        query.extend(job.environment.as_deref().map(|name| ("environment", name)));
        let known: Vec<Deployment> = self.get("/deployments", &query, PERMISSION).await?;
        let mut of_run = Vec::new();
        for deployment in known.into_iter().take(LOOKED_AT) {
            if deployment.payload["cutover"] == self.mark() {
                return Ok(Some(deployment));
            }
            let path = format!("/deployments/{}/statuses", deployment.id);
            let statuses: Vec<Status> = self.get(&path, &[("per_page", "100")], PERMISSION).await?;
            let urls = statuses.iter().flat_map(|status| [&status.log_url, &status.target_url]);
            let jobs: Vec<_> = urls.flatten().filter_map(|url| job_of_url(url, &job.run)).collect();
            if jobs.iter().any(|of| of.is_some() && of.as_deref() == job.id.as_deref()) {
                return Ok(Some(deployment));
            }
            // It belongs to the run, but the job is not known.
            if jobs.iter().any(|of| of.is_none() || job.id.is_none()) {
                of_run.push(deployment);
            }
        }
        let mut of_run = of_run.into_iter();
        let newest = of_run.next();
        // Deployments of one environment belong to attempts of the job; the newest belongs to this one.
        let environment = newest.as_ref().map(|newest| newest.environment.clone());
        match of_run.all(|older| Some(&older.environment) == environment.as_ref()) {
            true => Ok(newest),
            false => Err(GitHubError::Ambiguous),
        }
    }

    /// Returns the payload that marks the deployments which cutover created for this run and service.
    fn mark(&self) -> serde_json::Value {
        json!({ "run": self.job.run, "service": self.job.service })
    }

    /// Creates a deployment of the commit to the configured environment; `None` if there is none. GitHub
    /// neither waits for checks nor merges anything into the commit.
    pub(super) async fn create_deployment(&self) -> Result<Option<Deployment>, GitHubError> {
        let Some(environment) = &self.job.environment else { return Ok(None) };
        let body = json!({
            "ref": self.job.commit,
            "environment": environment,
            "description": "by cutover",
            "auto_merge": false,
            "required_contexts": [],
            "payload": { "cutover": self.mark() },
        });
        self.post_once("/deployments", &body, PERMISSION).await.map(Some)
    }

    /// Adds a status to a deployment.
    pub(super) async fn add_status(
        &self,
        to: &Deployment,
        update: &Update,
    ) -> Result<(), GitHubError> {
        let mut body = json!({
            "state": update.state.name(),
            "description": update.description,
            "log_url": self.job.run_url,
        });
        if let Some(url) = &self.job.environment_url {
            body["environment_url"] = url.as_str().into();
        }
        let path = format!("/deployments/{}/statuses", to.id);
        self.post_idempotent::<serde_json::Value>(&path, &body, PERMISSION).await.map(|_| ())
    }
}

/// Returns the job in a URL of this run, as in `https://github.com/acme/web/actions/runs/7/job/9`: `Some(None)`
/// for the page of the run itself, `None` for another run.
fn job_of_url(url: &str, run: &str) -> Option<Option<String>> {
    let (_, after) = url.split_once("/actions/runs/")?;
    let mut parts = after.split(['/', '?', '#']);
    let is_of_run = parts.next() == Some(run);
    let job = parts.next().filter(|part| *part == "job").and_then(|_| parts.next());
    is_of_run.then(|| job.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_by_whole_numbers() {
        let url = "https://github.com/acme/web/actions/runs/77/job/9";
        assert_eq!(job_of_url(url, "77"), Some(Some("9".to_owned())));
        assert_eq!((job_of_url(url, "7"), job_of_url(url, "777")), (None, None));
        assert_eq!(job_of_url("https://ghe.example/a/b/actions/runs/77", "77"), Some(None));
        assert_eq!(
            (job_of_url("", "77"), job_of_url("https://example.com/77", "77")),
            (None, None)
        );
    }
}
