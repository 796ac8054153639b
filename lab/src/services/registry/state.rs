//! The contents of both registries.

use super::store::Store;

/// The contents of both registries.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// ECR's, in the lab's only account.
    pub(crate) ecr: Store,
    /// GHCR's.
    pub(crate) ghcr: Store,
}

impl State {
    /// Returns the number of uploads to ECR that have begun and not ended.
    pub fn open_uploads(&self) -> usize {
        self.ecr.uploads.len()
    }
}
