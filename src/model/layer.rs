//! A layer of an image on its way into registries.

use serde::Serialize;

use super::{Digest, Repository};

/// Something has happened to a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerProgress {
    /// Which, from the bottom up, from 1.
    pub layer: usize,
    /// Of how many.
    pub layers: usize,
    /// Its DiffID: the digest of its archive before compression.
    pub diff_id: Digest,
    /// What has happened.
    #[serde(flatten)]
    pub state: LayerState,
}

/// How far a layer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum LayerState {
    /// The repository has it: nothing is sent.
    Exists {
        /// Which.
        repository: Repository,
    },
    /// The registry takes it over from another of its repositories: nothing is sent.
    Mounted {
        /// Into which.
        repository: Repository,
        /// From which.
        from: Repository,
    },
    /// It is read and compressed, and sent meanwhile.
    Packing {
        /// Bytes of the archive so far.
        read: u64,
        /// Bytes of the blob so far.
        written: u64,
    },
    /// All of it is compressed.
    Packed {
        /// The archive's size in bytes.
        content: u64,
        /// The blob's.
        size: u64,
    },
    /// All of it is compressed, and some of it sent.
    Uploading {
        /// Bytes that were sent, to all repositories together.
        sent: u64,
        /// How many it will be.
        of: u64,
    },
    /// The repository has all of it now.
    Uploaded {
        /// Which.
        repository: Repository,
        /// The blob's size in bytes.
        size: u64,
    },
}

impl LayerState {
    /// Whether it is told once, and not again and again.
    pub fn is_news(&self) -> bool {
        !matches!(self, LayerState::Packing { .. } | LayerState::Uploading { .. })
    }
}
