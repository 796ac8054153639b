//! Repositories, images and their blobs, and the OCI distribution API in front of them, as ECR and the GitHub
//! Container Registry (GHCR) implement it. ECR's own API ([`super::ecr`]) works on the same store.

mod actions;
mod blobs;
mod contents;
mod digest;
mod error;
mod host;
mod listing;
mod manifests;
mod mutability;
mod name;
mod path;
mod push;
mod references;
mod serve;
mod storage;
mod store;
#[cfg(test)]
mod tests;
mod uploads;
mod wildcard;

use bytes::Bytes;

pub(crate) use contents::labels;
pub use contents::{ImageFacts, file, image};
pub use digest::digest_of;
pub(crate) use digest::is_digest;
pub(crate) use error::OciError;
pub(crate) use host::{RegistryKind, authority};
pub(crate) use mutability::TagMutability;
pub(crate) use name::is_name;
pub use push::PushError;
pub(crate) use push::{ManifestPush, is_tag, push};
pub(crate) use serve::query_parameter;
pub use serve::serve;
pub use storage::serve_storage;
pub(crate) use storage::{PREFIX as STORAGE_PREFIX, ecr_download_url, is_storage_host};
pub(crate) use store::{Image, Repository, Store};
pub(crate) use uploads::Upload;
pub(crate) use wildcard::matches_wildcard;

/// The contents of both registries.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// ECR's, in the lab's only account.
    pub(crate) ecr: Store,
    /// GHCR's.
    pub(crate) ghcr: Store,
}

/// Creates an empty ECR repository with mutable tags, unless it exists.
pub fn create_repository(state: &mut State, name: &str) {
    state.ecr.repositories.entry(name.to_owned()).or_default();
}

/// Returns the number of uploads to ECR that have begun and not ended.
pub fn open_uploads(state: &State) -> usize {
    state.ecr.uploads.len()
}

/// Stores a blob in ECR for a manifest that is put later, and returns its digest.
pub fn put_blob(state: &mut State, bytes: impl Into<Bytes>) -> String {
    state.ecr.put_blob(bytes.into())
}

/// Stores a manifest in ECR, under `tag` if one is given, and returns its digest. Its blobs must have been put
/// before; the repository is created if it is missing.
pub fn put_manifest(
    state: &mut State,
    repository: &str,
    tag: Option<&str>,
    media_type: &str,
    bytes: impl Into<Bytes>,
) -> Result<String, PushError> {
    create_repository(state, repository);
    let manifest = bytes.into();
    let referenced = references::References::of(&manifest)?;
    let known: Vec<String> = referenced
        .blobs
        .into_iter()
        .filter(|digest| state.ecr.blobs.contains_key(digest))
        .collect();
    if let Some(repository) = state.ecr.repositories.get_mut(repository) {
        repository.blobs.extend(known);
    }
    push(&mut state.ecr, ManifestPush { repository, tag, media_type, manifest, now: None })
}
