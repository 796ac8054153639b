//! What a registry stores of a layer.

use cutover_oci::image::Codec;
use cutover_rollout::model::Digest;

/// A layer as stored in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredLayer {
    pub digest: Digest,
    /// The size in bytes.
    pub size: u64,
    pub codec: Codec,
}
