//! GitHub: OpenID Connect for workflow jobs, access tokens, and the part of the REST API that a deployment
//! uses: deployments, pull requests and comments on them, jobs, packages. There is one repository, that of
//! the current job.

mod api;
mod caller;
mod comment;
mod comments;
mod deployment;
mod deployments;
mod jobs;
mod limit_window;
mod limits;
mod oidc;
mod packages;
mod paging;
mod pull_request;
mod pulls;
mod repository;
mod response;
pub(crate) mod state;
mod statuses;
mod subject;
#[cfg(test)]
mod tests;
mod tokens;

pub use api::serve as api;
pub use comment::Comment;
pub use deployment::{Deployment, Status};
pub use oidc::{
    ISSUER, REQUEST_TOKEN, TOKEN_PATH, TokenError, issue_token, serve_issuer, serve_token, verify,
};
pub use pull_request::{PullRequest, PullState};
pub use state::State;
pub use subject::Subject;
pub use tokens::{AccessToken, GITHUB_TOKEN, Level, READ_ONLY_TOKEN};

pub(crate) use api::{is_api, resource_kind};
pub(crate) use oidc::is_issuer;
