//! What a registry stores: blobs, and the manifest that makes an image of them.

use std::fmt;

use bytes::Bytes;

use crate::model::Digest;

/// Bytes under their digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    /// What they are, such as `application/vnd.oci.image.layer.v1.tar+gzip`.
    pub media_type: String,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The bytes as they are stored, so compressed where the media type says so.
    pub bytes: Bytes,
}

impl Blob {
    /// These bytes, and their digest.
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Blob {
        let bytes = bytes.into();
        Blob { media_type: media_type.into(), digest: Digest::of(&bytes), bytes }
    }

    /// Their number.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({}, {}, {} bytes)", self.media_type, self.digest, self.bytes.len())
    }
}

/// A whole image in memory, ready to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Names the configuration and the layers by digest.
    pub manifest: Blob,
    /// How to run it.
    pub config: Blob,
    /// Its file system, from the bottom up.
    pub layers: Vec<Blob>,
}

impl Image {
    /// The image's identity: its manifest's digest.
    pub fn digest(&self) -> &Digest {
        &self.manifest.digest
    }

    /// What the manifest names, in the order in which it is uploaded.
    pub fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.layers.iter().chain([&self.config])
    }
}
