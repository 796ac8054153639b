//! GitHub's REST API, as far as a rollout uses it: the deployment of a job, and comments on its pull
//! request. All of it is courtesy to people: where a permission is missing, the rollout goes its way.

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
