//! Accepts pushed manifests.

use bytes::Bytes;
use jiff::Timestamp;

use super::digest::digest_of;
use super::push_error::{PushError, SIZE_LIMIT};
use super::references::References;
use super::store::{ContentsCache, Image, Store};

/// The longest tag, in characters (ECR API model; the distribution specification has 128).
const TAG_LIMIT: usize = 300;

/// A manifest to push.
#[derive(Debug)]
pub(crate) struct ManifestPush<'p> {
    /// The repository's name.
    pub(crate) repository: &'p str,
    /// The tag to put on it, if any.
    pub(crate) tag: Option<&'p str>,
    /// The media type that the client declares.
    pub(crate) media_type: &'p str,
    /// The manifest's bytes.
    pub(crate) manifest: Bytes,
    /// The time of the push; unknown for a scenario's images.
    pub(crate) now: Option<Timestamp>,
}

/// Stores a manifest and returns its digest. Pushing the same manifest again succeeds.
pub(crate) fn push(store: &mut Store, push: ManifestPush<'_>) -> Result<String, PushError> {
    let ManifestPush { repository: name, tag, media_type, manifest, now } = push;
    let Some(repository) = store.repositories.get_mut(name) else {
        return Err(PushError::UnknownRepository(name.to_owned()));
    };
    if manifest.len() > SIZE_LIMIT {
        return Err(PushError::TooLarge(manifest.len()));
    }
    let references = References::of(&manifest)?;
    let lacking = |digests: &[String], has: &dyn Fn(&String) -> bool| -> Vec<String> {
        digests.iter().filter(|digest| !has(digest)).cloned().collect()
    };
    let missing = lacking(&references.blobs, &|digest| repository.blobs.contains(digest));
    if !missing.is_empty() {
        return Err(PushError::MissingBlobs(missing));
    }
    let missing = lacking(&references.manifests, &|digest| repository.images.contains_key(digest));
    if !missing.is_empty() {
        return Err(PushError::MissingManifests(missing));
    }
    let digest = digest_of(&manifest);
    if let Some(tag) = tag {
        if !is_tag(tag) {
            return Err(PushError::InvalidTag(tag.to_owned()));
        }
        let moves = repository.tags.get(tag).is_some_and(|holder| *holder != digest);
        if moves && !repository.mutability.allows_move(tag) {
            return Err(PushError::ImmutableTag {
                repository: name.to_owned(),
                tag: tag.to_owned(),
            });
        }
        repository.tags.insert(tag.to_owned(), digest.clone());
    }
    repository.images.entry(digest.clone()).or_insert_with(|| Image {
        media_type: media_type.to_owned(),
        manifest,
        references,
        pushed: now,
        pulled: None,
        contents: ContentsCache::default(),
    });
    Ok(digest)
}

/// Returns whether a tag is well-formed (OCI distribution specification, but with ECR's maximum length).
pub(crate) fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= TAG_LIMIT
        && tag.starts_with(word)
        && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}
