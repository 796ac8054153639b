//! What a registry stores: blobs, image manifests, and indexes over the images of several platforms.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use cutover_rollout::model::{Digest, Repository};

/// The largest image configuration in bytes; engines refuse larger ones, too.
pub const LARGEST_CONFIG: u64 = 4 << 20;

/// Content addressed by its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    /// Media type, such as `application/vnd.oci.image.layer.v1.tar+gzip`.
    pub media_type: String,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The bytes as stored, compressed if the media type says so.
    pub bytes: Bytes,
}

impl Blob {
    /// Creates a blob from these bytes and computes their digest.
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Blob {
        let bytes = bytes.into();
        Blob { media_type: media_type.into(), digest: Digest::of(&bytes), bytes }
    }

    /// Returns the size in bytes.
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
    Local(Blob),
    /// A base image's layer: it stays in its registry, and is never in memory as a whole.
    There(RemoteLayer),
}

/// A layer in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteLayer {
    /// Media type, as in a descriptor.
    pub media_type: String,
    /// SHA-256 of the stored bytes.
    pub digest: Digest,
    /// Number of stored bytes.
    pub size: u64,
    /// Annotations, as in a descriptor.
    pub annotations: BTreeMap<String, String>,
    /// The repository that has it.
    pub repository: Repository,
}

impl Layer {
    /// Returns the SHA-256 of the stored bytes.
    pub fn digest(&self) -> &Digest {
        match self {
            Layer::Local(blob) => &blob.digest,
            Layer::There(there) => &there.digest,
        }
    }

    /// Returns the number of stored bytes.
    pub fn size(&self) -> u64 {
        match self {
            Layer::Local(blob) => blob.size(),
            Layer::There(there) => there.size,
        }
    }
}

/// An image that is ready to push; all but the base image's layers are in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The manifest, which names the configuration and the layers by digest.
    pub manifest: Blob,
    /// The configuration: how to run the image.
    pub config: Blob,
    /// The layers, from the bottom up.
    pub layers: Vec<Layer>,
    /// The index that it is part of, if it is built for several platforms.
    pub index: Option<Index>,
}

/// A multi-platform image. If an image has an index, tags point to the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The index manifest, which names each platform's image by digest.
    pub manifest: Blob,
    /// The other platforms' images, none of which has an index of its own.
    pub others: Vec<Image>,
}

impl Image {
    /// Returns the digest that instances launch: the manifest's, never the index's.
    pub fn digest(&self) -> &Digest {
        &self.manifest.digest
    }

    /// Returns what tags point to: the index if there is one, else the manifest.
    pub fn tag_target(&self) -> &Blob {
        self.index.as_ref().map_or(&self.manifest, |index| &index.manifest)
    }

    /// Returns digest and size of each blob that the manifest names, in upload order.
    pub fn parts(&self) -> impl Iterator<Item = (&Digest, u64)> {
        let layers = self.layers.iter().map(|layer| (layer.digest(), layer.size()));
        layers.chain([(&self.config.digest, self.config.size())])
    }

    /// Returns the images of all platforms, this one first.
    pub fn platforms(&self) -> impl Iterator<Item = &Image> {
        [self].into_iter().chain(self.index.iter().flat_map(|index| &index.others))
    }
}
