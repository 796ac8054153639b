//! The lifecycle policy of a repository, as data.

use jiff::Timestamp;

use super::rule::LifecycleRule;

/// A repository's lifecycle policy and its last preview.
#[derive(Debug, Clone, Default)]
pub(in crate::services::ecr) struct RepositoryLifecycle {
    pub(super) policy: Option<LifecyclePolicy>,
    pub(super) preview: Option<Preview>,
    /// How many policies the repository has had.
    pub(super) generation: u64,
}

#[derive(Debug, Clone)]
pub(super) struct LifecyclePolicy {
    pub(super) text: String,
    pub(super) rules: Vec<LifecycleRule>,
    /// When it was last applied; `None` before the first time.
    pub(super) evaluated: Option<Timestamp>,
}

/// A requested preview.
#[derive(Debug, Clone)]
pub(super) struct Preview {
    pub(super) text: String,
    /// When its results can be read.
    pub(super) ready: Timestamp,
    /// Computed when the preview was requested.
    pub(super) results: Vec<ExpiredImage>,
}

/// An image that a rule expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExpiredImage {
    pub(super) digest: String,
    /// The rule's priority.
    pub(super) rule: i64,
}
