//! The state of GitHub: one repository, and what a job in it may do.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::comment::Comment;
use super::deployment::Deployment;
use super::limit_window::Window;
use super::pull_request::{PullRequest, first};
use super::tokens::{self, AccessToken};

/// The state of GitHub: the job that requests tokens, its repository, and permissions.
#[derive(Debug, Clone)]
pub struct State {
    /// The token's `sub`: repository, and branch, environment or event. [`State::set_subject`] sets it.
    pub subject: String,
    /// The environment that the job names, if any.
    pub environment: Option<String>,
    /// The event that triggered the workflow.
    pub event: String,
    /// The repository as `owner/name`.
    pub repository: String,
    /// The repository's id.
    pub repository_id: u64,
    /// Its owner's id.
    pub owner_id: u64,
    /// Whether the repository is private.
    pub private: bool,
    /// The full ref, such as `refs/heads/main`.
    pub git_ref: String,
    /// The commit SHA.
    pub commit: String,
    /// The id of the workflow run.
    pub run_id: u64,
    /// The attempt of that run.
    pub run_attempt: u32,
    /// The id of the current job in that attempt, which is also its check run's.
    pub job_id: u64,
    /// The name of the job: `jobs.<job_id>.name` in the workflow, or its key there.
    pub job_name: String,
    /// The runner of the job, `RUNNER_NAME`.
    pub runner_name: String,
    /// The valid access tokens.
    pub tokens: BTreeMap<String, AccessToken>,
    /// Checks of the commit that have not succeeded; the current job is one of them. A new deployment waits
    /// for them unless it says otherwise (`required_contexts: []`).
    pub unfinished_checks: Vec<String>,
    /// Whether the ref is behind the default branch, so that a new deployment merges that first unless it
    /// says `auto_merge: false`.
    pub behind: bool,
    /// The deployments, oldest first.
    pub deployments: Vec<Deployment>,
    /// The pull requests.
    pub pulls: Vec<PullRequest>,
    /// The comments on pull requests, oldest first.
    pub comments: Vec<Comment>,
    /// The last id assigned to a deployment, status or comment.
    numbers: u64,
    pub(super) limits: BTreeMap<String, Window>,
}

impl Default for State {
    fn default() -> State {
        let commit = "5b1d2c0f3a7e4d6b8c9a0f1e2d3c4b5a69788796";
        State {
            subject: "repo:acme/news:ref:refs/heads/main".to_owned(),
            environment: None,
            event: "push".to_owned(),
            repository: "acme/news".to_owned(),
            repository_id: 1_296_269,
            owner_id: 9919,
            private: true,
            git_ref: "refs/heads/main".to_owned(),
            commit: commit.to_owned(),
            run_id: 1000,
            run_attempt: 1,
            job_id: 5000,
            job_name: "deploy".to_owned(),
            runner_name: "GitHub Actions 1".to_owned(),
            tokens: tokens::first(),
            unfinished_checks: vec!["deploy".to_owned()],
            behind: false,
            deployments: Vec::new(),
            pulls: first(commit),
            comments: Vec::new(),
            numbers: 0,
            limits: BTreeMap::new(),
        }
    }
}

impl State {
    /// Returns this access token, if it is known and has not expired.
    pub(crate) fn access_token(&self, text: &str, now: Timestamp) -> Option<&AccessToken> {
        self.tokens.get(text).filter(|token| token.expires.is_none_or(|ends| now < ends))
    }

    /// Returns the owner of the repository.
    pub(crate) fn owner(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }

    /// Returns a new id.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}
