//! The AWS client: one module per service. SDK types stay inside.
//!
//! Reads return the types of [`cutover_rollout::model`] and are retried on transient errors. Changes are sent once and return a
//! [`Change`]: done, refused or unknown.

mod autoscaling;
mod call;
mod cloudwatch;
mod convert;
mod denied;
mod ec2;
mod ecr;
mod elbv2;
mod error;
mod iam;
mod identity;
mod sdk;
mod ssm;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use cutover_net::{Clock, Net};

use sdk::Skew;

pub use autoscaling::GroupBlueprint;
pub use call::Change;
pub use ec2::{TemplateFacts, UserData, VersionFacts};
pub use ecr::{RegistryLogin, RepositoryFacts};
pub use elbv2::{
    RawActions, RuleBlueprint, RuleCondition, RuleWithActions, TargetGroupBlueprint,
    TargetGroupSummary,
};
pub use error::{AwsError, Disposition, ErrorClass};
pub use identity::{CredentialSource, Identity, Settings};

/// A client for one account and Region, with a verified identity.
#[derive(Debug, Clone)]
pub struct Aws {
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

impl Aws {
    /// Finds credentials and a Region, and reads the identity from AWS.
    ///
    /// # Errors
    /// If there is no Region or there are no credentials, the role cannot be assumed, or the account is not the one in
    /// `settings`.
    pub async fn connect(net: &Net, settings: &Settings) -> Result<Aws, AwsError> {
        let skew = Skew::default();
        let config = identity::configure(net, &skew, settings).await?;
        let sts = aws_sdk_sts::Client::new(&identity::patient(&config));
        let mut cloud = Aws {
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

    /// Returns the identity.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns AWS's time: the local clock, corrected by the `Date` header of AWS's last response. Use it for
    /// times at which AWS is to act.
    pub fn now(&self) -> Timestamp {
        self.skew.apply(self.clock.now())
    }

    /// Returns a seed that differs for every request, but is the same for the same request in every run.
    fn next_seed(&self) -> u64 {
        self.seed.fetch_add(1, Ordering::Relaxed)
    }
}
