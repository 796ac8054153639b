//! GitHub: OpenID Connect for the jobs of workflows, and access tokens.

mod oidc;
mod tokens;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use oidc::{ISSUER, REQUEST_TOKEN, TOKEN_PATH, TokenError, mint, token, verify};
pub use tokens::{AccessToken, GITHUB_TOKEN, Level};

/// What GitHub remembers: the job that asks for tokens.
#[derive(Debug, Clone)]
pub struct State {
    /// The token's `sub`: which repository, and branch, environment or event.
    pub subject: String,
    /// Owner and name.
    pub repository: String,
    /// The full ref, for example `refs/heads/main`.
    pub git_ref: String,
    /// The commit.
    pub commit: String,
    /// The number that GitHub gives a run.
    pub run_id: u64,
    /// Which try of that run.
    pub run_attempt: u32,
    /// The access tokens that are known.
    pub tokens: BTreeMap<String, AccessToken>,
}

impl Default for State {
    fn default() -> State {
        State {
            subject: "repo:acme/news:ref:refs/heads/main".to_owned(),
            repository: "acme/news".to_owned(),
            git_ref: "refs/heads/main".to_owned(),
            commit: "5b1d2c0f3a7e4d6b8c9a0f1e2d3c4b5a69788796".to_owned(),
            run_id: 1000,
            run_attempt: 1,
            tokens: tokens::first(),
        }
    }
}

impl State {
    /// The access token of this text, if it is known and has not ended.
    pub(crate) fn access_token(&self, text: &str, now: Timestamp) -> Option<&AccessToken> {
        self.tokens.get(text).filter(|token| token.ends.is_none_or(|ends| now < ends))
    }
}
