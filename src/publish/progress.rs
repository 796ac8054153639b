//! What a push tells while it works.

use crate::model::{Digest, Repository};

/// Something has happened to a layer, which `layer` numbers from the bottom up, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Which.
    pub layer: usize,
    /// Of how many.
    pub layers: usize,
    /// Its DiffID.
    pub diff_id: Digest,
    /// What has happened.
    pub state: LayerState,
}

/// How far a layer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerState {
    /// The destination has it, so nothing is sent.
    Exists(Repository),
    /// The registry took it over from another of its repositories.
    Mounted(Repository),
    /// It is read and compressed: so many bytes became so many.
    Packing {
        /// Read of the archive.
        read: u64,
        /// Written to the spool.
        written: u64,
    },
    /// All of it is compressed.
    Packed {
        /// The archive's size in bytes.
        content: u64,
        /// The blob's.
        size: u64,
    },
    /// The destination has all of it now.
    Uploaded(Repository),
}
