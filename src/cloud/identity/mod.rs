//! Who we are at AWS, and how we become that.

mod configure;
mod oidc;
mod role;
mod settings;

use aws_config::SdkConfig;

use super::{Class, Cloud, CloudError};

pub(super) use configure::{configure, patient};
pub(super) use role::IdentityError;
pub use settings::{CredentialSource, Settings};

const WHO: &str = "sts:GetCallerIdentity";

/// Who AWS says we are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The account's number.
    pub account: String,
    /// The ARN of the user or the assumed role's session.
    pub arn: String,
    /// The Region.
    pub region: String,
}

impl Identity {
    /// The partition that the account is in: `aws`, `aws-cn` …
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }
}

impl Cloud {
    /// Asks AWS who we are, and refuses to be in another account than the settings name.
    pub(super) async fn identify(
        &self,
        sts: &aws_sdk_sts::Client,
        config: &SdkConfig,
        settings: &Settings,
    ) -> Result<Identity, CloudError> {
        let answer = self.read(WHO, || sts.get_caller_identity().send()).await?;
        let identity = Identity {
            account: answer.account.unwrap_or_default(),
            arn: answer.arn.unwrap_or_default(),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
        };
        match &settings.account {
            Some(wanted) if *wanted != identity.account => Err(CloudError::local(
                WHO,
                Class::Elsewhere,
                format!(
                    "the credentials are {} in account {}, but the configuration says account {wanted}",
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
