//! The GitHub client: octocrab over cutover's transport, authenticated with the job's token.

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, USER_AGENT};
use http::{HeaderValue, Request, Uri};
use http_body_util::BodyExt as _;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};

use super::GitHubError;
use cutover_net::{BoxError, Net, Transport};

/// The timeout of a request. A rollout does not wait for requests, but the process does before it exits.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How often an idempotent request is attempted.
const ATTEMPTS: usize = 3;

/// The running job, as described by its environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Owner and name of the repository.
    pub repository: String,
    /// The commit.
    pub commit: String,
    /// The workflow run's id.
    pub run: String,
    /// The URL of the workflow run.
    pub run_url: String,
    /// The job's id, if the runner provides it.
    pub id: Option<String>,
    /// The service that is deployed.
    pub service: String,
    /// The GitHub environment, if the workflow passes it to cutover.
    pub environment: Option<String>,
    /// The URL of the environment.
    pub environment_url: Option<String>,
    /// The pull request of the workflow run, if the event contains it.
    pub pull_request: Option<u64>,
}

/// A client for the job's repository.
#[derive(Clone)]
pub struct GitHub {
    client: Octocrab,
    net: Net,
    pub(super) job: Job,
}

impl std::fmt::Debug for GitHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitHub").field("job", &self.job).finish_non_exhaustive()
    }
}

impl GitHub {
    /// Makes a client for the API at `api`, for example `https://api.github.com`. Needs a Tokio runtime.
    ///
    /// # Errors
    /// If `api` is not a URL, or the token is not valid in a header.
    pub fn new(net: &Net, api: &str, token: &str, job: Job) -> Result<GitHub, GitHubError> {
        let malformed = |what: &str| GitHubError::Unreachable(format!("{what} is malformed"));
        let base: Uri = api.parse().map_err(|_| malformed("GITHUB_API_URL"))?;
        if base.scheme().is_none() || base.authority().is_none() {
            return Err(malformed("GITHUB_API_URL"));
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| malformed("the GitHub token"))?;
        authorization.set_sensitive(true);
        let headers = vec![
            (AUTHORIZATION, authorization),
            (USER_AGENT, HeaderValue::from_static(concat!("cutover/", env!("CARGO_PKG_VERSION")))),
            (
                HeaderName::from_static("x-github-api-version"),
                HeaderValue::from_static("2022-11-28"),
            ),
        ];
        let transport = net.transport.clone();
        let client = OctocrabBuilder::new_empty()
            .with_service(tower::service_fn(move |request| send(transport.clone(), request)))
            .with_layer(&BaseUriLayer::new(base))
            .with_layer(&ExtraHeadersLayer::new(Arc::new(headers)))
            .with_auth(AuthState::None)
            .build()
            .unwrap_or_else(|never| match never {});
        Ok(GitHub { client, net: net.clone(), job })
    }

    /// Sends a GET request. `path` is relative to the repository and begins with a slash.
    pub(super) async fn get<R: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        permission: &'static str,
    ) -> Result<R, GitHubError> {
        let route = self.route(path);
        self.retried(permission, || self.client.get(&route, Some(&query))).await
    }

    /// Sends a POST request once, because a retry could create a second object.
    pub(super) async fn post_once<R: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
        permission: &'static str,
    ) -> Result<R, GitHubError> {
        let route = self.route(path);
        within(self.client.post(&route, Some(body)), permission).await
    }

    /// Sends a POST request that is idempotent, with retries.
    pub(super) async fn post_idempotent<R: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
        permission: &'static str,
    ) -> Result<R, GitHubError> {
        let route = self.route(path);
        self.retried(permission, || self.client.post(&route, Some(body))).await
    }

    pub(super) async fn patch<R: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
        permission: &'static str,
    ) -> Result<R, GitHubError> {
        let route = self.route(path);
        self.retried(permission, || self.client.patch(&route, Some(body))).await
    }

    fn route(&self, path: &str) -> String {
        format!("/repos/{}{path}", self.job.repository)
    }

    async fn retried<R, F>(
        &self,
        permission: &'static str,
        send: impl Fn() -> F,
    ) -> Result<R, GitHubError>
    where
        F: Future<Output = octocrab::Result<R>>,
    {
        let mut delays = cutover_net::delays(ATTEMPTS, 0);
        loop {
            let error = match within(send(), permission).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match delays.next() {
                Some(delay) if error.is_transient() => self.net.clock.sleep(delay).await,
                _ => return Err(error),
            }
        }
    }
}

async fn within<R>(
    request: impl Future<Output = octocrab::Result<R>>,
    permission: &'static str,
) -> Result<R, GitHubError> {
    match tokio::time::timeout(TIMEOUT, request).await {
        Ok(answer) => answer.map_err(|error| GitHubError::of(&error, permission)),
        Err(_) => {
            Err(GitHubError::Unreachable(format!("no response within {} s", TIMEOUT.as_secs())))
        }
    }
}

async fn send(
    transport: Transport,
    request: Request<OctoBody>,
) -> Result<http::Response<cutover_net::Body>, BoxError> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(transport.send(Request::from_parts(head, cutover_net::full(body))).await?)
}
