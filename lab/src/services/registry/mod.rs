//! Repositories, images and the blobs they are made of; and the OCI distribution API in front of them,
//! as ECR has it and as the GitHub Container Registry has it. ECR's own API ([`super::ecr`]) works on
//! the same store.

mod actions;
mod blobs;
mod contents;
mod digest;
mod host;
mod listing;
mod manifests;
mod mutability;
mod name;
mod path;
mod push;
mod references;
mod refusal;
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
pub(crate) use host::{Host, authority};
pub(crate) use mutability::Mutability;
pub(crate) use name::is_name;
pub use push::PushError;
pub(crate) use push::{Push, is_tag, push};
pub(crate) use refusal::Refusal;
pub(crate) use serve::parameter;
pub use serve::serve;
pub use storage::serve_storage;
pub(crate) use storage::{PREFIX as STORAGE_PREFIX, ecr_address, is_storage_host};
pub(crate) use store::{Image, Repository, Store};
pub(crate) use uploads::Upload;
pub(crate) use wildcard::fits;

/// What the registries hold.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// ECR's, of the one account.
    pub(crate) ecr: Store,
    /// The GitHub Container Registry's.
    pub(crate) ghcr: Store,
}

/// Adds an empty repository of ECR whose tags may move, if there is none of this name.
pub fn create_repository(state: &mut State, name: &str) {
    state.ecr.repositories.entry(name.to_owned()).or_default();
}

/// Keeps a blob in ECR, for a manifest to come, and gives its digest.
pub fn put_blob(state: &mut State, bytes: impl Into<Bytes>) -> String {
    state.ecr.put_blob(bytes.into())
}

/// Keeps a manifest in ECR whose blobs were put before, under `tag` if one is given, and gives its
/// digest. The repository is created if it is missing.
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
    push(&mut state.ecr, Push { repository, tag, media_type, manifest, now: None })
}
