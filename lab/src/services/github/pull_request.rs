//! A pull request as data.

/// The base commit of pull requests, on the default branch.
pub(super) const BASE: &str = "0c9b8a7f6e5d4c3b2a1908f7e6d5c4b3a2918070";

/// A pull request from a branch of the same repository into the default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number; issues and pull requests are numbered together.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// The account that opened it.
    pub author: String,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The last commit of the branch.
    pub head: String,
    /// Whether it is open, closed or merged.
    pub state: PullState,
}

/// The state of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullState {
    /// Open.
    Open,
    /// Closed without a merge.
    Closed,
    /// Merged by this commit on the default branch.
    Merged(String),
}

impl PullRequest {
    /// Returns whether this commit is its head or its merge commit.
    pub(super) fn concerns(&self, commit: &str) -> bool {
        self.head == commit
            || matches!(&self.state, PullState::Merged(merge) if merge.as_str() == commit)
    }
}

/// The pull requests that exist when the lab starts: one, whose head is the current commit.
pub(super) fn first(commit: &str) -> Vec<PullRequest> {
    vec![PullRequest {
        number: 7,
        title: "A new front page".to_owned(),
        author: "ada".to_owned(),
        branch: "front-page".to_owned(),
        head: commit.to_owned(),
        state: PullState::Open,
    }]
}
