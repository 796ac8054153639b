//! What decides who we are and where.

use std::fmt;

/// Whom to be, and where.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The Region; without one the SDK's own settings decide.
    pub region: Option<String>,
    /// The account that it must be; any other is refused.
    pub account: Option<String>,
    /// A role to assume.
    pub role: Option<String>,
    /// What is deployed: part of the session's name, so that CloudTrail tells.
    pub service: String,
    /// Where credentials come from.
    pub credentials: CredentialSource,
    /// Where all services are, instead of where the SDK's own settings say: for a lab or a test.
    pub endpoint: Option<String>,
}

/// Where credentials come from.
#[derive(Clone, Default)]
pub enum CredentialSource {
    /// The SDK's default chain: environment, profile, container, instance.
    #[default]
    Default,
    /// These. The SDK's environment variables and profiles are then looked at for nothing.
    Static {
        /// Access key id.
        key: String,
        /// Secret access key.
        secret: String,
        /// Session token.
        token: Option<String>,
    },
    /// GitHub's token endpoint, in a workflow with `id-token: write`: needs [`Settings::role`].
    GitHubOidc {
        /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
        request_url: String,
        /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        request_token: String,
        /// The audience to ask for, mostly [`CredentialSource::AUDIENCE`].
        audience: String,
    },
}

impl CredentialSource {
    /// The audience that AWS's and GitHub's guides tell to trust.
    pub const AUDIENCE: &'static str = "sts.amazonaws.com";

    /// GitHub's token endpoint where a workflow offers one and there is a role to assume by it;
    /// else the default chain. `variable` reads the environment.
    pub fn detect(
        role: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> CredentialSource {
        let offered = |name| variable(name).filter(|value| !value.is_empty());
        let url = offered("ACTIONS_ID_TOKEN_REQUEST_URL");
        let token = offered("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
        match (role, url, token) {
            (Some(_), Some(request_url), Some(request_token)) => CredentialSource::GitHubOidc {
                request_url,
                request_token,
                audience: CredentialSource::AUDIENCE.to_owned(),
            },
            _ => CredentialSource::Default,
        }
    }
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialSource::Default => f.write_str("Default"),
            CredentialSource::Static { key, .. } => {
                f.debug_struct("Static").field("key", key).finish_non_exhaustive()
            }
            CredentialSource::GitHubOidc { audience, .. } => {
                f.debug_struct("GitHubOidc").field("audience", audience).finish_non_exhaustive()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflows_token_is_used_only_for_a_role_and_never_shown() {
        let workflow = |name: &str| match name {
            "ACTIONS_ID_TOKEN_REQUEST_URL" => Some("https://token/?x=1".to_owned()),
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN" => Some("s3cret".to_owned()),
            _ => None,
        };
        let source = CredentialSource::detect(Some("arn:aws:iam::1:role/x"), workflow);
        assert!(matches!(source, CredentialSource::GitHubOidc { .. }));
        assert!(!format!("{source:?}").contains("s3cret"));
        assert!(matches!(CredentialSource::detect(None, workflow), CredentialSource::Default));
        assert!(matches!(CredentialSource::detect(Some("r"), |_| None), CredentialSource::Default));
    }
}
