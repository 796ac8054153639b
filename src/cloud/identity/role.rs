//! Assuming a role, by GitHub's token or by the credentials that are there.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, future};

use super::oidc::{Claims, TokenSource};
use crate::cloud::convert::timestamp;
use crate::cloud::{Class, CloudError};
use crate::net::{self, Clock, sdk::Skew};

const BY_TOKEN: &str = "sts:AssumeRoleWithWebIdentity";
const BY_CALLER: &str = "sts:AssumeRole";

/// How often STS is asked for what may pass by itself.
const ATTEMPTS: usize = 3;

/// Why there are no credentials: a [`CloudError`] on its way through the SDK.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(in crate::cloud) struct IdentityError(pub(in crate::cloud) CloudError);

/// What entitles us to the role.
#[derive(Debug)]
pub(super) enum Proof {
    /// The credentials of the STS client itself.
    Caller,
    /// A fresh token of the running job.
    GitHub(TokenSource),
}

/// Gives a role's credentials; the SDK asks again well before they end. So a bake of six hours
/// outlives every token and every session.
#[derive(Debug)]
pub(super) struct RoleProvider {
    pub(super) role: String,
    pub(super) session: String,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) proof: Proof,
    pub(super) clock: Clock,
    pub(super) skew: Skew,
}

impl ProvideCredentials for RoleProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

impl RoleProvider {
    async fn provide(&self) -> Provided {
        let assumed = match &self.proof {
            Proof::Caller => self.by_caller().await,
            Proof::GitHub(source) => self.by_token(source).await,
        };
        let assumed =
            assumed.map_err(|error| CredentialsError::provider_error(IdentityError(error)))?;
        Ok(Credentials::new(
            assumed.access_key_id,
            assumed.secret_access_key,
            Some(assumed.session_token),
            Some(self.expiry(&assumed.expiration)),
            "cutover",
        ))
    }

    /// The end by our own clock, which the SDK compares it with: AWS's may differ.
    fn expiry(&self, theirs: &aws_smithy_types::DateTime) -> SystemTime {
        let now = self.clock.now();
        let left = timestamp(theirs).map(|end| end.duration_since(self.skew.apply(now)));
        let end = left.and_then(|left| now.saturating_add(left).ok()).unwrap_or(now);
        end.into()
    }

    async fn by_caller(&self) -> Result<aws_sdk_sts::types::Credentials, CloudError> {
        let request = self.sts.assume_role().role_arn(&self.role).role_session_name(&self.session);
        let answer =
            request.send().await.map_err(|error| CloudError::of(BY_CALLER, &error)).map_err(
                |error| {
                    let role = &self.role;
                    let denied = matches!(error.class, Class::Denied | Class::NotFound);
                    if denied {
                        error.advise(format!("check that {role} exists, that its trust policy names these credentials, and that their own policy allows `{BY_CALLER}` on it"))
                    } else {
                        error
                    }
                },
            )?;
        answer.credentials.ok_or_else(|| no_credentials(BY_CALLER))
    }

    async fn by_token(
        &self,
        source: &TokenSource,
    ) -> Result<aws_sdk_sts::types::Credentials, CloudError> {
        let mut delays = net::delays(ATTEMPTS, 0);
        loop {
            let token = source.fresh().await?;
            let request = self
                .sts
                .assume_role_with_web_identity()
                .role_arn(&self.role)
                .role_session_name(&self.session)
                .web_identity_token(&token);
            let error = match request.send().await {
                Ok(answer) => return answer.credentials.ok_or_else(|| no_credentials(BY_TOKEN)),
                Err(error) => CloudError::of(BY_TOKEN, &error),
            };
            match delays.next() {
                Some(delay) if may_pass(&error) => self.clock.sleep(delay).await,
                _ => return Err(self.explained(error, &token)),
            }
        }
    }

    fn explained(&self, error: CloudError, token: &str) -> CloudError {
        let about_the_token =
            matches!(error.class, Class::Denied | Class::Credentials | Class::Invalid);
        match Claims::of(token).filter(|_| about_the_token) {
            Some(claims) => {
                let advice = claims.explain(&self.role);
                error.advise(advice)
            }
            None => error,
        }
    }
}

/// What another, fresh token may mend: an old one, or STS not having reached GitHub (API model).
fn may_pass(error: &CloudError) -> bool {
    error.is_passing()
        || error.is("ExpiredTokenException")
        || error.is("IDPCommunicationError")
        || (error.is("InvalidIdentityToken") && error.message.contains("verification key"))
}

fn no_credentials(operation: &'static str) -> CloudError {
    CloudError::local(operation, Class::Service, "the answer holds no credentials")
}
