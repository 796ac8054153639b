//! Why an image may not go to a repository, or not be deployed from it.

use crate::cloud::CloudError;
use crate::model::{Digest, Ending, Repository};
use crate::registry::RegistryError;

use super::TooBad;

/// A refusal, or a failure on the way to knowing.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// AWS did not do what it was asked.
    #[error("{source}. To do: {}", .source.hint())]
    Cloud {
        /// What came back.
        #[source]
        source: Box<CloudError>,
    },
    /// The registry did not.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// There is no such repository, and nothing says that it is to be made.
    #[error(
        "the ECR repository `{path}` does not exist in {registry}. Set `image.ecr.create: true`, or \
         create it: {cli}"
    )]
    Missing {
        /// Its path.
        path: String,
        /// Its registry's host.
        registry: String,
        /// The AWS CLI's line.
        cli: String,
    },
    /// A tag that cannot be moved names something else.
    #[error(
        "the tag `{tag}` of `{repository}` names another image ({}), and the repository's tags cannot \
         be moved. Nothing was tagged; use a tag of its own for every commit \
         (`image.tags: [\"{{commit}}\"]`)", .names.short()
    )]
    TagTaken {
        /// The tag.
        tag: String,
        /// Where.
        repository: Repository,
        /// What it names.
        names: Digest,
    },
    /// The scan found too much.
    #[error("{repository}@{}: {found}", .digest.short())]
    TooBad {
        /// Where.
        repository: Repository,
        /// What was scanned.
        digest: Digest,
        /// What was found.
        found: TooBad,
    },
    /// The scan found nothing, because it did not look.
    #[error("{repository}@{} is not known to be free of vulnerabilities: {why}", .digest.short())]
    NotScanned {
        /// Where.
        repository: Repository,
        /// What was to be scanned.
        digest: Digest,
        /// Why not, and what to do.
        why: String,
    },
}

impl Unfit {
    /// A refusal where this is known, so that asking again changes nothing; else nothing was learnt.
    pub fn ending(&self) -> Ending {
        match self {
            Unfit::Cloud { .. } | Unfit::Registry(_) => Ending::Failed,
            _ => Ending::Refused,
        }
    }
}

impl From<CloudError> for Unfit {
    fn from(error: CloudError) -> Unfit {
        Unfit::Cloud { source: Box::new(error) }
    }
}
