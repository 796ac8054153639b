//! The two registries, of which each has a store.

use super::state::State;
use super::store::Store;

/// One of the two registries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RegistryKind {
    /// Amazon Elastic Container Registry.
    Ecr,
    /// The GitHub Container Registry.
    Ghcr,
}

impl RegistryKind {
    /// Returns its store.
    pub(crate) fn store(self, state: &State) -> &Store {
        match self {
            RegistryKind::Ecr => &state.ecr,
            RegistryKind::Ghcr => &state.ghcr,
        }
    }

    /// Returns its store, to change it.
    pub(crate) fn store_mut(self, state: &mut State) -> &mut Store {
        match self {
            RegistryKind::Ecr => &mut state.ecr,
            RegistryKind::Ghcr => &mut state.ghcr,
        }
    }

    /// Returns the segment that marks an upload in its path.
    pub(crate) fn upload_segment(self) -> &'static str {
        match self {
            RegistryKind::Ecr => "uploads",
            RegistryKind::Ghcr => "upload",
        }
    }
}
