//! A deployment as data.

use jiff::Timestamp;
use serde_json::Value as Json;

/// A deployment and its statuses.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Its id.
    pub id: u64,
    /// The branch, tag or commit that was requested.
    pub git_ref: String,
    /// The commit SHA.
    pub sha: String,
    /// The task, usually `deploy`.
    pub task: String,
    /// The payload of the request.
    pub payload: Json,
    /// The requested environment.
    pub original_environment: String,
    /// Its environment, which a status may change.
    pub environment: String,
    /// A description for people.
    pub description: Option<String>,
    /// The account that created it.
    pub creator: String,
    /// Whether the environment is temporary.
    pub transient: bool,
    /// Whether end users use the environment.
    pub production: bool,
    /// When it was created.
    pub created: Timestamp,
    /// When it or its statuses last changed.
    pub updated: Timestamp,
    /// Its statuses, oldest first.
    pub statuses: Vec<Status>,
}

/// A deployment status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its id.
    pub id: u64,
    /// `queued`, `pending`, `in_progress`, `success`, `failure`, `error` or `inactive`.
    pub state: String,
    /// A description for people.
    pub description: String,
    /// Its environment.
    pub environment: String,
    /// The URL of the log.
    pub log_url: String,
    /// The URL of the environment.
    pub environment_url: String,
    /// The account that created it.
    pub creator: String,
    /// When it was created.
    pub created: Timestamp,
}

impl Deployment {
    /// Returns its current state; `None` before the first status.
    pub fn state(&self) -> Option<&str> {
        self.statuses.last().map(|status| status.state.as_str())
    }

    /// Returns whether it is active in its environment.
    pub(super) fn is_active(&self) -> bool {
        self.state() == Some("success")
    }
}
