//! Why an image may not be pushed to a repository, or not be deployed from it.

use cutover_aws::AwsError;
use cutover_oci::registry::RegistryError;
use cutover_rollout::model::{Digest, Failure, Repository};

use super::SevereFindings;

/// A refusal, or a failure to find out.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// An AWS operation failed.
    #[error("{source}")]
    Cloud {
        /// The error.
        #[source]
        source: Box<AwsError>,
    },
    /// The registry refuses or fails.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The repository does not exist and is not to be created.
    #[error(
        "the ECR repository `{path}` does not exist in {registry}. Set `image.ecr.create: true`, or \
         create it: {cli}"
    )]
    Missing {
        /// Its path.
        path: String,
        /// Its registry's host.
        registry: String,
        /// The AWS CLI's command.
        cli: String,
    },
    /// An immutable tag points to something else.
    #[error(
        "the tag `{tag}` of `{repository}` is immutable and already points to another image ({}). \
         Nothing was tagged; use a unique tag for every commit \
         (`image.tags: [\"{{commit}}\"]`)", .names.short()
    )]
    TagTaken {
        /// The tag.
        tag: String,
        /// The repository.
        repository: Repository,
        /// The digest that it points to.
        names: Digest,
    },
    /// The scan has too severe findings.
    #[error("{repository}@{}: {found}", .digest.short())]
    SevereFindings {
        /// The repository.
        repository: Repository,
        /// The image.
        digest: Digest,
        /// The findings.
        found: SevereFindings,
    },
    /// The scan has no result.
    #[error("{repository}@{} has no scan result: {why}", .digest.short())]
    NotScanned {
        /// The repository.
        repository: Repository,
        /// The image.
        digest: Digest,
        /// The reason, and what to do.
        why: String,
    },
}

impl From<PolicyError> for Failure {
    /// Returns a refusal if the answer is certain, so that retrying changes nothing, else a failure.
    fn from(why: PolicyError) -> Failure {
        let message = why.to_string();
        match why {
            PolicyError::Cloud { source } => Failure::from(*source),
            PolicyError::Registry(_) => Failure::failed(message),
            PolicyError::Missing { .. }
            | PolicyError::TagTaken { .. }
            | PolicyError::SevereFindings { .. }
            | PolicyError::NotScanned { .. } => Failure::refused(message),
        }
    }
}

impl From<AwsError> for PolicyError {
    fn from(error: AwsError) -> PolicyError {
        PolicyError::Cloud { source: Box::new(error) }
    }
}
