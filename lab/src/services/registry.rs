//! The OCI distribution API in front of the stored images.

/// Stored blobs and manifests.
#[derive(Debug, Clone, Default)]
pub struct State {}
