//! GitHub's REST API: the deployment of a job, and comments on its pull request. None of it is essential: if it
//! fails, the rollout continues.

mod client;
mod comment;
mod deployment;
mod error;
mod progress;
mod update;

pub use client::{GitHub, Job};
pub use error::GitHubError;
pub use progress::report_progress;
pub use update::{State, Update};
