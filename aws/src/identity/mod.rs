//! The AWS identity, and how its credentials are obtained.

mod configure;
mod oidc;
mod role;
mod settings;

use aws_config::SdkConfig;

use super::{Aws, AwsError, ErrorClass};

pub(super) use configure::{configure, patient};
pub(super) use role::IdentityError;
pub use settings::{CredentialSource, Settings};

const GET_CALLER_IDENTITY: &str = "sts:GetCallerIdentity";

/// The identity according to AWS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The account id.
    pub account: String,
    /// The ARN of the user or of the assumed role session.
    pub arn: String,
    /// The Region.
    pub region: String,
}

impl Identity {
    /// Returns the partition of the account: `aws`, `aws-cn` …
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }
}

impl Aws {
    /// Reads the identity from AWS. Fails if it is in another account than `settings` require.
    pub(super) async fn identify(
        &self,
        sts: &aws_sdk_sts::Client,
        config: &SdkConfig,
        settings: &Settings,
    ) -> Result<Identity, AwsError> {
        let answer = self.read(GET_CALLER_IDENTITY, || sts.get_caller_identity().send()).await?;
        let identity = Identity {
            account: answer.account.unwrap_or_default(),
            arn: answer.arn.unwrap_or_default(),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
        };
        match &settings.account {
            Some(wanted) if *wanted != identity.account => Err(AwsError::local(
                GET_CALLER_IDENTITY,
                ErrorClass::WrongAccount,
                format!(
                    "the credentials are {} in account {}, but the configured account is {wanted}",
                    identity.arn, identity.account
                ),
            )
            .advise(format!(
                "use credentials of account {wanted}, or correct `account` in the configuration"
            ))),
            _ => Ok(identity),
        }
    }
}
