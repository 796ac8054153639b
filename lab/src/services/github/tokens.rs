//! Access tokens and what they permit.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The token of the present job, `GITHUB_TOKEN`. Its permissions may be changed through
/// [`State::tokens`](super::State::tokens).
pub const GITHUB_TOKEN: &str = "ghs_labTokenOfThePresentJob0000000000000";

/// A token of a job without `permissions` where the repository's default is the restricted one:
/// `contents: read` and `packages: read` (GitHub docs, "GITHUB_TOKEN").
pub const READ_ONLY_TOKEN: &str = "ghs_labTokenThatMayOnlyRead0000000000000";

/// How far one permission goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    #[default]
    None,
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Whose it is.
    pub login: String,
    /// Whether it is a job's `GITHUB_TOKEN`, which reaches one repository and the packages linked to it;
    /// else it is a person's and reaches all of the owner's.
    pub is_job: bool,
    /// What it may do with packages.
    pub packages: Level,
    /// What it may do with deployments.
    pub deployments: Level,
    /// What it may do with issues and comments on them, pull requests included.
    pub issues: Level,
    /// What it may do with pull requests and comments on them.
    pub pull_requests: Level,
    /// What it may do with workflow runs.
    pub actions: Level,
    /// When it ends, if it does.
    pub ends: Option<Timestamp>,
}

impl AccessToken {
    /// A job's, with `packages: write`, `deployments: write`, `pull-requests: write` and `actions: read`.
    pub fn of_job() -> AccessToken {
        AccessToken {
            login: "github-actions[bot]".to_owned(),
            is_job: true,
            packages: Level::Write,
            deployments: Level::Write,
            issues: Level::None,
            pull_requests: Level::Write,
            actions: Level::Read,
            ends: None,
        }
    }

    /// A job's with the permissions of [`READ_ONLY_TOKEN`].
    pub fn of_restricted_job() -> AccessToken {
        AccessToken {
            packages: Level::Read,
            deployments: Level::None,
            pull_requests: Level::None,
            actions: Level::None,
            ..AccessToken::of_job()
        }
    }

    /// A person's, with every permission.
    pub fn of_person(login: &str) -> AccessToken {
        AccessToken {
            login: login.to_owned(),
            is_job: false,
            issues: Level::Write,
            actions: Level::Write,
            ..AccessToken::of_job()
        }
    }
}

/// The tokens that a lab begins with.
pub(super) fn first() -> BTreeMap<String, AccessToken> {
    BTreeMap::from([
        (GITHUB_TOKEN.to_owned(), AccessToken::of_job()),
        (READ_ONLY_TOKEN.to_owned(), AccessToken::of_restricted_job()),
    ])
}
