//! Settings of the AWS connection.

use std::fmt;

/// Which Region, account and credentials to use.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The Region; `None` uses the SDK's own settings.
    pub region: Option<String>,
    /// The required account; any other is refused.
    pub account: Option<String>,
    /// The ARN of the role to assume.
    pub role: Option<String>,
    /// The name of the service. It is part of the role session's name, so that CloudTrail shows it.
    pub service: String,
    /// The source of the credentials.
    pub credentials: CredentialSource,
    /// The endpoint of all AWS services, for a lab or a test; `None` uses the SDK's own settings.
    pub endpoint: Option<String>,
}

/// The source of credentials.
#[derive(Clone, Default)]
pub enum CredentialSource {
    /// The SDK's default chain: environment, profile, container, instance.
    #[default]
    Default,
    /// These credentials. The SDK's environment variables and profiles are then not used at all.
    Static {
        /// Access key id.
        key: String,
        /// Secret access key.
        secret: String,
        /// Session token.
        token: Option<String>,
    },
    /// GitHub's OIDC token endpoint, in a workflow with `id-token: write`. Requires [`Settings::role`].
    GitHubOidc {
        /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
        request_url: String,
        /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        request_token: String,
        /// The audience to request, usually [`CredentialSource::AUDIENCE`].
        audience: String,
    },
}

impl CredentialSource {
    /// The audience that AWS's and GitHub's guides recommend.
    pub const AUDIENCE: &'static str = "sts.amazonaws.com";

    /// Returns GitHub's token endpoint if the job has one and there is a role to assume, otherwise the default chain.
    /// `variable` reads the environment.
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
