//! Access tokens and their permissions.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The token of the current job, `GITHUB_TOKEN`. Its permissions can be changed in
/// [`State::tokens`](super::state::State::tokens).
pub const GITHUB_TOKEN: &str = "ghs_labTokenOfThePresentJob0000000000000";

/// A token of a job without `permissions`, in a repository with the restricted default: `contents: read` and
/// `packages: read` (GitHub docs, "GITHUB_TOKEN").
pub const READ_ONLY_TOKEN: &str = "ghs_labTokenThatMayOnlyRead0000000000000";

/// The access level of a permission.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No access.
    #[default]
    None,
    /// Read.
    Read,
    /// Read and write.
    Write,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The account that it belongs to.
    pub login: String,
    /// Whether it is a job's `GITHUB_TOKEN`, which can access one repository and the packages linked to it;
    /// otherwise it is a user's and can access everything of the owner.
    pub is_job: bool,
    /// The `packages` permission.
    pub packages: Level,
    /// The `deployments` permission.
    pub deployments: Level,
    /// The `issues` permission, which covers comments, including those on pull requests.
    pub issues: Level,
    /// The `pull-requests` permission, which covers comments on them.
    pub pull_requests: Level,
    /// The `actions` permission: workflow runs.
    pub actions: Level,
    /// When it expires, if it does.
    pub expires: Option<Timestamp>,
}

impl AccessToken {
    /// Returns a job's token, with `packages: write`, `deployments: write`, `pull-requests: write` and
    /// `actions: read`.
    pub fn of_job() -> AccessToken {
        AccessToken {
            login: "github-actions[bot]".to_owned(),
            is_job: true,
            packages: Level::Write,
            deployments: Level::Write,
            issues: Level::None,
            pull_requests: Level::Write,
            actions: Level::Read,
            expires: None,
        }
    }

    /// Returns a job's token with the permissions of [`READ_ONLY_TOKEN`].
    pub fn of_restricted_job() -> AccessToken {
        AccessToken {
            packages: Level::Read,
            deployments: Level::None,
            pull_requests: Level::None,
            actions: Level::None,
            ..AccessToken::of_job()
        }
    }

    /// Returns a user's token, with every permission.
    pub fn of_user(login: &str) -> AccessToken {
        AccessToken {
            login: login.to_owned(),
            is_job: false,
            issues: Level::Write,
            actions: Level::Write,
            ..AccessToken::of_job()
        }
    }
}

/// The tokens that exist when the lab starts.
pub(super) fn first() -> BTreeMap<String, AccessToken> {
    BTreeMap::from([
        (GITHUB_TOKEN.to_owned(), AccessToken::of_job()),
        (READ_ONLY_TOKEN.to_owned(), AccessToken::of_restricted_job()),
    ])
}
