//! GitHub: OpenID Connect for the jobs of workflows, access tokens, and the part of the REST API that
//! a deployment uses: deployments, pull requests and comments on them, jobs, packages. There is one
//! repository, that of the present job.

mod answer;
mod api;
mod comments;
mod deployments;
mod jobs;
mod limits;
mod oidc;
mod packages;
mod paging;
mod pulls;
mod repository;
mod statuses;
mod subject;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use api::serve as api;
pub(crate) use api::{is_api, part};
pub use comments::Comment;
pub use deployments::{Deployment, Status};
pub(crate) use oidc::is_issuer;
pub use oidc::{ISSUER, REQUEST_TOKEN, TOKEN_PATH, TokenError, issuer, mint, token, verify};
pub use pulls::{PullRequest, PullState};
pub use subject::Subject;
pub use tokens::{AccessToken, GITHUB_TOKEN, Level, READ_ONLY_TOKEN};

/// What GitHub remembers: the job that asks for tokens, its repository, and who may do what.
#[derive(Debug, Clone)]
pub struct State {
    /// The token's `sub`: which repository, and branch, environment or event. [`State::run_for`] sets it.
    pub subject: String,
    /// The environment that the job names, if any.
    pub environment: Option<String>,
    /// What started the workflow.
    pub event: String,
    /// Owner and name.
    pub repository: String,
    /// The repository's number.
    pub repository_id: u64,
    /// Its owner's number.
    pub owner_id: u64,
    /// Whether only its members see the repository.
    pub private: bool,
    /// The full ref, for example `refs/heads/main`.
    pub git_ref: String,
    /// The commit.
    pub commit: String,
    /// The number that GitHub gives a run.
    pub run_id: u64,
    /// Which try of that run.
    pub run_attempt: u32,
    /// The number of the present job in that try; its check run has the same.
    pub job_id: u64,
    /// The name of the job: `jobs.<job_id>.name` in the workflow, or its key there.
    pub job_name: String,
    /// The runner of the job, `RUNNER_NAME`.
    pub runner_name: String,
    /// The access tokens that are known.
    pub tokens: BTreeMap<String, AccessToken>,
    /// Checks of the commit that have not succeeded: the present job itself is one of them. A new
    /// deployment waits for none of them only if it says so (`required_contexts: []`).
    pub unfinished_checks: Vec<String>,
    /// Whether the ref lacks commits of the default branch, so that a new deployment merges them first
    /// unless it says `auto_merge: false`.
    pub behind: bool,
    /// The deployments, oldest first.
    pub deployments: Vec<Deployment>,
    /// The pull requests.
    pub pulls: Vec<PullRequest>,
    /// The comments on pull requests, oldest first.
    pub comments: Vec<Comment>,
    /// How many numbers were given to deployments, statuses and comments.
    numbers: u64,
    limits: BTreeMap<String, limits::Window>,
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
            pulls: pulls::first(commit),
            comments: Vec::new(),
            numbers: 0,
            limits: BTreeMap::new(),
        }
    }
}

impl State {
    /// The access token of this text, if it is known and has not ended.
    pub(crate) fn access_token(&self, text: &str, now: Timestamp) -> Option<&AccessToken> {
        self.tokens.get(text).filter(|token| token.ends.is_none_or(|ends| now < ends))
    }

    /// The name of the owner of the repository.
    pub(crate) fn owner(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }

    /// A number that nothing else has.
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}
