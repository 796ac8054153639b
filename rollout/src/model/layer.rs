//! Progress of pushing a layer.

use serde::Serialize;

use super::{Digest, Repository};

/// Progress of one layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerProgress {
    /// The layer's number, from the bottom up, starting at 1.
    pub layer: usize,
    /// The number of layers.
    pub layers: usize,
    /// The DiffID: the digest of the uncompressed archive.
    pub diff_id: Digest,
    /// The number of repositories that the image is pushed to.
    #[serde(skip)]
    pub repositories: usize,
    /// The state that it reached.
    #[serde(flatten)]
    pub state: LayerState,
}

/// The state of a layer during a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum LayerState {
    /// The repository already has it: nothing is uploaded.
    Exists {
        /// The repository.
        repository: Repository,
    },
    /// The registry mounted it from another of its repositories: nothing is uploaded.
    Mounted {
        /// The repository that it was mounted into.
        repository: Repository,
        /// The repository that it was mounted from.
        from: Repository,
    },
    /// It is being read, compressed and uploaded.
    Packing {
        /// Bytes of the archive read so far.
        read: u64,
        /// Bytes of the blob written so far.
        written: u64,
    },
    /// All of it is compressed.
    Packed {
        /// The size of the archive in bytes.
        content: u64,
        /// The size of the blob in bytes.
        size: u64,
    },
    /// All of it is compressed, and part of it is uploaded.
    Uploading {
        /// Bytes uploaded so far, to all repositories together.
        sent: u64,
        /// Bytes to upload in total.
        of: u64,
    },
    /// The upload is complete.
    Uploaded {
        /// The repository.
        repository: Repository,
        /// The size of the blob in bytes.
        size: u64,
    },
}

impl LayerState {
    /// Returns true for states that are reported once, false for those that are updated continuously.
    pub fn is_reported_once(&self) -> bool {
        !matches!(self, LayerState::Packing { .. } | LayerState::Uploading { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal keeps these lines; the others are updated in place.
    #[test]
    fn the_states_of_a_layer_that_grow_are_reported_again() {
        let repository: Repository = "ghcr.io/acme/web".parse().unwrap();
        assert!(!LayerState::Packing { read: 1, written: 1 }.is_reported_once());
        assert!(!LayerState::Uploading { sent: 1, of: 2 }.is_reported_once());
        assert!(LayerState::Packed { content: 2, size: 1 }.is_reported_once());
        assert!(LayerState::Exists { repository: repository.clone() }.is_reported_once());
        assert!(LayerState::Uploaded { repository, size: 1 }.is_reported_once());
    }
}
