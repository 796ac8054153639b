//! The edge to AWS: one file a service. SDK types and SDK times stay inside.
//!
//! Reads give the nouns of [`crate::model`] and are repeated where that can help. Changes are sent
//! once and end as a [`Change`]: done, refused or unknown.

mod autoscaling;
mod call;
mod cloudwatch;
mod convert;
mod ec2;
mod ecr;
mod elbv2;
mod error;
mod iam;
mod identity;
mod ssm;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use crate::net::{Clock, Net, sdk::Skew};

pub use autoscaling::GroupBlueprint;
pub use call::Change;
pub use ec2::{TemplateFacts, UserData, VersionFacts};
pub use ecr::{RegistryLogin, RepositoryFacts};
pub use elbv2::{
    RawActions, RuleBlueprint, RuleCondition, RuleWithActions, TargetGroupBlueprint,
    TargetGroupSummary,
};
pub use error::{Class, CloudError};
pub use identity::{CredentialSource, Identity, Settings};

/// An account and a Region of AWS, as an identity that has been checked.
#[derive(Debug, Clone)]
pub struct Cloud {
    autoscaling: aws_sdk_autoscaling::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    ec2: aws_sdk_ec2::Client,
    ecr: aws_sdk_ecr::Client,
    elbv2: aws_sdk_elasticloadbalancingv2::Client,
    iam: aws_sdk_iam::Client,
    ssm: aws_sdk_ssm::Client,
    clock: Clock,
    skew: Skew,
    seed: Arc<AtomicU64>,
    identity: Identity,
}

impl Cloud {
    /// Finds credentials and a Region, and asks AWS who that is.
    ///
    /// # Errors
    /// Where there is no Region, there are no credentials, the role refuses us, or the account is
    /// another one than `settings` names.
    pub async fn connect(net: &Net, settings: &Settings) -> Result<Cloud, CloudError> {
        let skew = Skew::default();
        let config = identity::configure(net, &skew, settings).await?;
        let sts = aws_sdk_sts::Client::new(&identity::patient(&config));
        let mut cloud = Cloud {
            autoscaling: aws_sdk_autoscaling::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            ec2: aws_sdk_ec2::Client::new(&config),
            ecr: aws_sdk_ecr::Client::new(&config),
            elbv2: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
            clock: net.clock,
            skew,
            seed: Arc::default(),
            identity: Identity::default(),
        };
        cloud.identity = cloud.identify(&sts, &config, settings).await?;
        Ok(cloud)
    }

    /// Who we are.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What time it is at AWS: our clock, corrected by the `Date` of AWS's last answer. Times that
    /// AWS is to act on are counted from here.
    pub fn now(&self) -> Timestamp {
        self.skew.apply(self.clock.now())
    }

    /// Another seed for every request, the same for the same request of every run.
    fn next_seed(&self) -> u64 {
        self.seed.fetch_add(1, Ordering::Relaxed)
    }
}
