//! Access tokens and what they permit.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The token of the present job, `GITHUB_TOKEN`. Its permissions may be changed through
/// [`State::tokens`](super::State::tokens).
pub const GITHUB_TOKEN: &str = "ghs_labTokenOfThePresentJob0000000000000";

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
    /// When it ends, if it does.
    pub ends: Option<Timestamp>,
}

impl AccessToken {
    /// A job's, with `packages: write` and `deployments: write`.
    pub fn of_job() -> AccessToken {
        AccessToken {
            login: "github-actions[bot]".to_owned(),
            is_job: true,
            packages: Level::Write,
            deployments: Level::Write,
            ends: None,
        }
    }

    /// A person's, with every permission.
    pub fn of_person(login: &str) -> AccessToken {
        AccessToken { login: login.to_owned(), is_job: false, ..AccessToken::of_job() }
    }
}

/// The tokens that a lab begins with.
pub(super) fn first() -> BTreeMap<String, AccessToken> {
    BTreeMap::from([(GITHUB_TOKEN.to_owned(), AccessToken::of_job())])
}
