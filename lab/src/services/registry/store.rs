//! The contents of one registry: blobs, and repositories of images made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use bytes::Bytes;
use jiff::Timestamp;

use super::digest::digest_of;
use super::mutability::TagMutability;
use super::references::References;
use super::upload::Upload;

/// One registry's blobs, repositories and uploads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store {
    /// The bytes of every blob by digest; each repository records which of them it has.
    pub(crate) blobs: BTreeMap<String, Bytes>,
    /// The repositories by name, which may be a path.
    pub(crate) repositories: BTreeMap<String, Repository>,
    /// The uploads in progress by ID.
    pub(crate) uploads: BTreeMap<String, Upload>,
}

/// A repository with its images and tags.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repository {
    /// When it was created; unknown for a scenario's repositories.
    pub(crate) created: Option<Timestamp>,
    /// Whether its tags may move to other images.
    pub(crate) mutability: TagMutability,
    /// The digests of its blobs.
    pub(crate) blobs: BTreeSet<String>,
    /// Its images by digest.
    pub(crate) images: BTreeMap<String, Image>,
    /// The digests of images by tag.
    pub(crate) tags: BTreeMap<String, String>,
}

/// An image: a manifest, or an index of several.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) media_type: String,
    pub(crate) manifest: Bytes,
    /// What the manifest refers to.
    pub(crate) references: References,
    /// When it was pushed; unknown for a scenario's images.
    pub(crate) pushed: Option<Timestamp>,
    /// When it was last pulled.
    pub(crate) pulled: Option<Timestamp>,
    pub(crate) contents: ContentsCache,
}

impl Image {
    /// Returns whether it is an index of other images.
    pub(crate) fn is_index(&self) -> bool {
        self.references.is_index
    }
}

impl Repository {
    /// Returns the image that `reference`, a tag or a digest, names, with its digest.
    pub(crate) fn image(&self, reference: &str) -> Option<(&str, &Image)> {
        let digest = self.tags.get(reference).map_or(reference, String::as_str);
        self.images.get_key_value(digest).map(|(digest, image)| (digest.as_str(), image))
    }

    /// Returns the tags of an image, in order.
    pub(crate) fn tags_of<'r>(&'r self, digest: &'r str) -> impl Iterator<Item = &'r str> {
        self.tags.iter().filter(move |(_, d)| *d == digest).map(|(tag, _)| tag.as_str())
    }

    /// Returns whether an index in this repository names the image.
    pub(crate) fn is_referenced(&self, digest: &str) -> bool {
        let mut indexes = self.images.values();
        indexes.any(|image| image.references.manifests.iter().any(|named| named == digest))
    }

    /// Removes an image and all its tags; its blobs stay.
    pub(crate) fn remove(&mut self, digest: &str) {
        self.images.remove(digest);
        self.tags.retain(|_, named| named != digest);
    }
}

impl Store {
    /// Returns the bytes of a blob, if `repository` has it.
    pub(crate) fn blob(&self, repository: &str, digest: &str) -> Option<&Bytes> {
        let known = self.repositories.get(repository)?.blobs.contains(digest);
        known.then(|| self.blobs.get(digest)).flatten()
    }

    /// Returns the bytes of a blob, whichever repository has it.
    pub(crate) fn bytes(&self, digest: &str) -> Option<&Bytes> {
        self.blobs.get(digest)
    }

    /// Returns the size of an image as it was pushed, in bytes: its configuration and layers. For an index,
    /// that of its largest image (ECR API reference, `imageSizeInBytes`).
    pub(crate) fn compressed_size(&self, repository: &Repository, image: &Image) -> i64 {
        let own = |image: &Image| -> i64 {
            let blobs = image.references.blobs.iter();
            blobs.filter_map(|digest| Some(self.blobs.get(digest)?.len() as i64)).sum()
        };
        let named = image.references.manifests.iter();
        let named = named.filter_map(|digest| Some(own(repository.images.get(digest)?)));
        own(image).max(named.max().unwrap_or(0))
    }

    /// Stores a blob for `repository` and returns its digest.
    pub(crate) fn add_blob_to(&mut self, repository: &str, bytes: Bytes) -> String {
        let digest = self.put_blob(bytes);
        if let Some(repository) = self.repositories.get_mut(repository) {
            repository.blobs.insert(digest.clone());
        }
        digest
    }

    /// Stores a blob that no repository has yet, and returns its digest.
    pub(crate) fn put_blob(&mut self, bytes: Bytes) -> String {
        let digest = digest_of(&bytes);
        self.blobs.entry(digest.clone()).or_insert(bytes);
        digest
    }
}

/// What was read from an image, cached because images never change.
#[derive(Debug, Clone, Default)]
pub(crate) struct ContentsCache {
    pub(crate) labels: OnceLock<BTreeMap<String, String>>,
    pub(crate) files: OnceLock<BTreeMap<String, Bytes>>,
}
