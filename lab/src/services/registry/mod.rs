//! Repositories, images and the blobs they are made of; and the OCI distribution API in front of them,
//! as ECR has it. ECR's own API ([`super::ecr`]) works on the same store.

mod contents;
mod digest;
mod manifests;
mod refusal;
mod serve;
#[cfg(test)]
mod tests;
mod uploads;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;

pub use contents::{ImageFacts, file, image};
pub use digest::digest_of;
pub use manifests::PushError;
pub(crate) use manifests::push;
pub use serve::serve;
pub(crate) use uploads::Upload;

/// Stored blobs and manifests.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The bytes of every blob by digest; which repositories have it is their own record.
    blobs: BTreeMap<String, Bytes>,
    /// The repositories by name, which may be a path.
    pub(crate) repositories: BTreeMap<String, Repository>,
    /// The uploads under way.
    pub(crate) uploads: BTreeMap<String, Upload>,
    /// The account setting BLOB_MOUNTING: whether a push may take a blob over from another repository.
    pub mounting: bool,
}

/// One repository.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repository {
    /// When it was created; not known of a scenario's.
    pub(crate) created: Option<Timestamp>,
    /// Whether a tag stays on the image that first had it.
    pub(crate) immutable: bool,
    /// The digests of its blobs.
    pub(crate) blobs: BTreeSet<String>,
    /// Its images by digest.
    pub(crate) images: BTreeMap<String, Image>,
    /// The digests that its tags name.
    pub(crate) tags: BTreeMap<String, String>,
}

/// One image: a manifest, or an index of several.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) media_type: String,
    pub(crate) manifest: Bytes,
    /// Not known of a scenario's.
    pub(crate) pushed: Option<Timestamp>,
    contents: contents::Contents,
}

impl Repository {
    /// The image that `reference`, a tag or a digest, names, with its digest.
    pub(crate) fn image(&self, reference: &str) -> Option<(&str, &Image)> {
        let digest = self.tags.get(reference).map_or(reference, String::as_str);
        self.images.get_key_value(digest).map(|(digest, image)| (digest.as_str(), image))
    }

    /// The tags of an image, in order.
    pub(crate) fn tags_of<'r>(&'r self, digest: &'r str) -> impl Iterator<Item = &'r str> {
        self.tags.iter().filter(move |(_, d)| *d == digest).map(|(tag, _)| tag.as_str())
    }
}

impl State {
    /// The bytes of a blob, if `repository` has it.
    pub(crate) fn blob(&self, repository: &str, digest: &str) -> Option<&Bytes> {
        let known = self.repositories.get(repository)?.blobs.contains(digest);
        known.then(|| self.blobs.get(digest)).flatten()
    }

    /// The size of an image as it was pushed: its configuration and layers, in bytes.
    pub(crate) fn compressed_size(&self, image: &Image) -> i64 {
        let blobs = manifests::References::of(&image.manifest).map(|found| found.blobs);
        let sizes = blobs.unwrap_or_default().into_iter();
        sizes.filter_map(|digest| Some(self.blobs.get(&digest)?.len() as i64)).sum()
    }

    /// Keeps a blob for `repository` and gives its digest.
    pub(crate) fn keep_blob(&mut self, repository: &str, bytes: Bytes) -> String {
        let digest = put_blob(self, bytes);
        if let Some(repository) = self.repositories.get_mut(repository) {
            repository.blobs.insert(digest.clone());
        }
        digest
    }
}

/// Adds an empty repository whose tags may move, if there is none of this name.
pub fn create_repository(state: &mut State, name: &str) {
    state.repositories.entry(name.to_owned()).or_default();
}

/// Keeps a blob, for a manifest to come, and gives its digest.
pub fn put_blob(state: &mut State, bytes: impl Into<Bytes>) -> String {
    let bytes = bytes.into();
    let digest = digest_of(&bytes);
    state.blobs.entry(digest.clone()).or_insert(bytes);
    digest
}

/// Keeps a manifest whose blobs were put before, under `tag` if one is given, and gives its digest. The
/// repository is created if it is missing.
pub fn put_manifest(
    state: &mut State,
    repository: &str,
    tag: Option<&str>,
    media_type: &str,
    bytes: impl Into<Bytes>,
) -> Result<String, PushError> {
    create_repository(state, repository);
    let manifest = bytes.into();
    let referenced = manifests::References::of(&manifest)?;
    let known: Vec<String> =
        referenced.blobs.into_iter().filter(|digest| state.blobs.contains_key(digest)).collect();
    if let Some(repository) = state.repositories.get_mut(repository) {
        repository.blobs.extend(known);
    }
    manifests::push(state, repository, tag, media_type, manifest, None)
}
