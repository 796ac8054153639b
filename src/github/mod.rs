//! GitHub's REST API, as far as a rollout uses it: the deployment of a job, and comments on its pull
//! request. None of it is essential: the rollout continues without it.

mod client;
mod comment;
mod deployment;
mod error;
mod progress;
mod update;

pub use client::{GitHub, Job};
pub use error::GitHubError;
pub use progress::follow;
pub use update::{State, Update};
