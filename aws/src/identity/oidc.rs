//! GitHub's OIDC tokens: requests them, and explains why AWS rejects one.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{AwsError, ErrorClass};
use cutover_net::{Net, empty};

/// The operation's name in messages. It is not an AWS operation.
const GET_TOKEN: &str = "github:GetIdToken";

/// How often the token is requested before the error is returned.
const ATTEMPTS: usize = 3;

/// GitHub's OIDC token endpoint for a running workflow job.
#[derive(Clone)]
pub(super) struct TokenSource {
    pub(super) net: Net,
    pub(super) request_url: String,
    pub(super) request_token: String,
    pub(super) audience: String,
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource").field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl TokenSource {
    /// Requests a new token. It is valid for about five minutes (GitHub's documentation), so it is requested
    /// right before use and never kept.
    pub(super) async fn fresh(&self) -> Result<String, AwsError> {
        let mut delays = cutover_net::delays(ATTEMPTS, 0);
        loop {
            let error = match self.ask().await {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            match delays.next() {
                Some(delay) if error.is_worth_repeating() => self.net.clock.sleep(delay).await,
                _ => return Err(error),
            }
        }
    }

    async fn ask(&self) -> Result<String, AwsError> {
        #[derive(Deserialize)]
        struct Answer {
            value: String,
        }

        let separator = if self.request_url.contains('?') { '&' } else { '?' };
        let audience = utf8_percent_encode(&self.audience, NON_ALPHANUMERIC);
        let request = Request::get(format!("{}{separator}audience={audience}", self.request_url))
            .header(AUTHORIZATION, format!("bearer {}", self.request_token))
            .header(ACCEPT, "application/json")
            .body(empty())
            .map_err(|_| {
                AwsError::local(
                    GET_TOKEN,
                    ErrorClass::Credentials,
                    "ACTIONS_ID_TOKEN_REQUEST_URL or ACTIONS_ID_TOKEN_REQUEST_TOKEN is malformed",
                )
                .advise("don't set these variables: GitHub sets them in the job")
            })?;
        let answer =
            self.net.transport.send_bytes(request).await.map_err(|error| {
                AwsError::local(GET_TOKEN, ErrorClass::Network, error.to_string())
            })?;
        let status = answer.status();
        if !status.is_success() {
            let class = match status.as_u16() {
                429 => ErrorClass::Throttled,
                500.. => ErrorClass::Service,
                _ => ErrorClass::Credentials,
            };
            return Err(AwsError::local(GET_TOKEN, class, format!("HTTP {status}"))
                .advise("give the job `permissions: id-token: write`; the endpoint works only while the job runs"));
        }
        // The body is not shown, because it may contain a token.
        serde_json::from_slice(answer.body()).map(|answer: Answer| answer.value).map_err(|_| {
            AwsError::local(GET_TOKEN, ErrorClass::Service, "the response contains no token")
        })
    }
}

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    sub: String,
    #[serde(default)]
    aud: String,
    #[serde(default)]
    iss: String,
    /// All other claims.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// The other claims to show, in this order (GitHub's documentation, "OpenID Connect reference").
const SHOWN: [&str; 11] = [
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "environment",
    "ref",
    "event_name",
    "job_workflow_ref",
    "workflow",
    "actor",
    "runner_environment",
];

impl Claims {
    /// Parses a token's claims without verifying them: they are only used in a message.
    pub(super) fn of(token: &str) -> Option<Claims> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// Explains what the role's trust policy must contain to accept this token.
    ///
    /// Shows both forms of `sub`, so that the one in the policy is recognized: in repositories that were
    /// created, renamed or transferred after 2026-07-15 it contains ids, `repo:owner@1/name@2:…` (GitHub's
    /// documentation), which a policy copied from older guides does not match.
    pub(super) fn explain(&self, role: &str) -> String {
        let account = role.split(':').nth(4).unwrap_or_default();
        let partition = role.split(':').nth(1).unwrap_or("aws");
        let provider = self.iss.trim_start_matches("https://");
        let statement = json!({
            "Effect": "Allow",
            "Principal": {
                "Federated": format!("arn:{partition}:iam::{account}:oidc-provider/{provider}")
            },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    format!("{provider}:aud"): self.aud,
                    format!("{provider}:sub"): self.sub,
                }
            }
        });
        format!(
            "GitHub's OIDC token for this job has these claims:\n{}{}\nTo let this job deploy, create the OIDC identity provider {provider} in the account, and add \
             this statement to the trust policy of {role}:\n{statement:#}",
            self.shown(),
            self.forms().unwrap_or_default(),
        )
    }

    /// Formats one claim per line.
    fn shown(&self) -> String {
        let first = [("sub", self.sub.as_str()), ("aud", &self.aud), ("iss", &self.iss)];
        let others = SHOWN.into_iter().filter_map(|name| Some((name, self.text(name)?)));
        let lines = first.into_iter().chain(others);
        lines.map(|(name, value)| format!("  {name:<20} {value}\n")).collect()
    }

    /// Explains the two forms of `sub` that this job can have: by name, and with immutable ids.
    fn forms(&self) -> Option<String> {
        let (_, context) = self.sub.strip_prefix("repo:")?.split_once(':')?;
        let (owner, name) = self.text("repository")?.split_once('/')?;
        let (owner_id, id) = (self.text("repository_owner_id")?, self.text("repository_id")?);
        let by_name = format!("repo:{owner}/{name}:{context}");
        let by_id = format!("repo:{owner}@{owner_id}/{name}@{id}:{context}");
        let (used, other) = match self.sub == by_id {
            true => (by_id, by_name),
            false if self.sub == by_name => (by_name, by_id),
            // The repository customizes `sub`.
            false => return None,
        };
        Some(format!(
            "This job's `sub` is\n  {used}\nA trust policy with the other form does not match it:\n  {other}\n"
        ))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.others.get(name)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &serde_json::Value) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", encode("{}"), encode(&claims.to_string()))
    }

    #[test]
    fn a_refused_token_is_explained_by_the_statement_that_would_accept_it() {
        let claims = Claims::of(&token(&json!({
            "iss": "https://token.actions.githubusercontent.com",
            "aud": "sts.amazonaws.com",
            "sub": "repo:acme@1/web@2:environment:production",
            "repository": "acme/web",
            "repository_id": "2",
            "repository_owner_id": "1",
            "environment": "production",
            "run_id": "7",
        })))
        .unwrap();
        insta::assert_snapshot!(claims.explain("arn:aws:iam::123456789012:role/deploy-web"), @r#"
        GitHub's OIDC token for this job has these claims:
          sub                  repo:acme@1/web@2:environment:production
          aud                  sts.amazonaws.com
          iss                  https://token.actions.githubusercontent.com
          repository           acme/web
          repository_id        2
          repository_owner_id  1
          environment          production
        This job's `sub` is
          repo:acme@1/web@2:environment:production
        A trust policy with the other form does not match it:
          repo:acme/web:environment:production

        To let this job deploy, create the OIDC identity provider token.actions.githubusercontent.com in the account, and add this statement to the trust policy of arn:aws:iam::123456789012:role/deploy-web:
        {
          "Effect": "Allow",
          "Principal": {
            "Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
          },
          "Action": "sts:AssumeRoleWithWebIdentity",
          "Condition": {
            "StringEquals": {
              "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
              "token.actions.githubusercontent.com:sub": "repo:acme@1/web@2:environment:production"
            }
          }
        }
        "#);
        assert_eq!(Claims::of("no token"), None);
    }
}
