//! What a registry stores: blobs, the manifest that makes an image of them, and the index over the
//! images of several platforms.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use crate::model::{Digest, Repository};

/// A configuration is smaller than this, or not one: engines refuse larger ones, too.
pub const LARGEST_CONFIG: u64 = 4 << 20;

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

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// In memory.
    Here(Blob),
    /// A base's: in a registry, and never brought here as a whole.
    There(There),
}

/// A layer that a registry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct There {
    /// As in a descriptor.
    pub media_type: String,
    /// SHA-256 of what is stored.
    pub digest: Digest,
    /// Bytes that are stored.
    pub size: u64,
    /// As in a descriptor.
    pub annotations: BTreeMap<String, String>,
    /// Where it is.
    pub repository: Repository,
}

impl Layer {
    /// SHA-256 of what is stored.
    pub fn digest(&self) -> &Digest {
        match self {
            Layer::Here(blob) => &blob.digest,
            Layer::There(there) => &there.digest,
        }
    }

    /// Bytes that are stored.
    pub fn size(&self) -> u64 {
        match self {
            Layer::Here(blob) => blob.size(),
            Layer::There(there) => there.size,
        }
    }
}

/// An image, ready to push: in memory, apart from a base's layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Names the configuration and the layers by digest.
    pub manifest: Blob,
    /// How to run it.
    pub config: Blob,
    /// Its file system, from the bottom up.
    pub layers: Vec<Layer>,
    /// What it is part of, if it is made for several platforms.
    pub index: Option<Index>,
}

/// An image of several platforms. Tags name it, where an image has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Names the image of each platform by digest.
    pub manifest: Blob,
    /// The images of the other platforms; none of them has an index of its own.
    pub others: Vec<Image>,
}

impl Image {
    /// The image's identity, which instances launch: its manifest's digest, never its index's.
    pub fn digest(&self) -> &Digest {
        &self.manifest.digest
    }

    /// What tags name: the index where there is one, or else the manifest.
    pub fn top(&self) -> &Blob {
        self.index.as_ref().map_or(&self.manifest, |index| &index.manifest)
    }

    /// Digest and size of what the manifest names, in the order in which it is uploaded.
    pub fn parts(&self) -> impl Iterator<Item = (&Digest, u64)> {
        let layers = self.layers.iter().map(|layer| (layer.digest(), layer.size()));
        layers.chain([(&self.config.digest, self.config.size())])
    }

    /// The images of all platforms, this one first.
    pub fn platforms(&self) -> impl Iterator<Item = &Image> {
        [self].into_iter().chain(self.index.iter().flat_map(|index| &index.others))
    }
}
