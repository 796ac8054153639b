//! Why a push is refused.

/// The largest manifest, in bytes (ECR service quotas; the distribution specification asks for at least this).
pub(crate) const SIZE_LIMIT: usize = 4 << 20;

/// Why an image is refused. Each registry words these errors in its own way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The repository does not exist.
    #[error("the repository `{0}` does not exist")]
    UnknownRepository(String),
    /// The manifest is invalid, for this reason.
    #[error("the manifest is invalid: {0}")]
    Invalid(String),
    /// The manifest is larger than 4 MiB; has its size in bytes.
    #[error("the manifest has {0} bytes, more than {SIZE_LIMIT}")]
    TooLarge(usize),
    /// The tag is malformed.
    #[error("`{0}` is not a valid tag")]
    InvalidTag(String),
    /// The repository lacks blobs that the manifest names; has their digests.
    #[error("the repository lacks the blobs {}", .0.join(", "))]
    MissingBlobs(Vec<String>),
    /// The repository lacks manifests that the index names; has their digests.
    #[error("the repository lacks the manifests {}", .0.join(", "))]
    MissingManifests(Vec<String>),
    /// The tag names another image and is immutable.
    #[error("the tag `{tag}` of `{repository}` names another image and is immutable")]
    ImmutableTag {
        /// The repository's name.
        repository: String,
        /// The tag that can't move.
        tag: String,
    },
    /// The push would exceed this quota of the registry.
    #[error("the quota is exceeded: {0}")]
    Quota(&'static str),
}
