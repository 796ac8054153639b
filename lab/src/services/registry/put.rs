//! Puts images into ECR without a push, for scenarios and tests.

use bytes::Bytes;

use super::push::{ManifestPush, push};
use super::push_error::PushError;
use super::references;
use super::state::State;

/// Creates an empty ECR repository with mutable tags, unless it exists.
pub fn create_repository(state: &mut State, name: &str) {
    state.ecr.repositories.entry(name.to_owned()).or_default();
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
