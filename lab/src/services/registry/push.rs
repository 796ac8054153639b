//! Accepting manifests.

use bytes::Bytes;
use jiff::Timestamp;

use super::contents::Contents;
use super::digest::digest_of;
use super::references::References;
use super::{Image, Store};

/// The largest manifest (ECR service quotas; the distribution specification asks for at least this).
const SIZE_LIMIT: usize = 4 << 20;

/// The longest tag (ECR API model; the distribution specification has 128).
const TAG_LIMIT: usize = 300;

/// Why an image is not accepted. Each registry words these in its own way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// There is no such repository.
    #[error("there is no repository {0}")]
    UnknownRepository(String),
    /// It is not a manifest; says why.
    #[error("not a manifest: {0}")]
    Invalid(String),
    /// It is larger than 4 MiB.
    #[error("the manifest has {0} bytes, more than {SIZE_LIMIT}")]
    TooLarge(usize),
    /// The tag has a form that no tag has.
    #[error("{0} is no tag")]
    InvalidTag(String),
    /// Blobs that it names are not in the repository.
    #[error("the repository lacks the blobs {}", .0.join(", "))]
    MissingBlobs(Vec<String>),
    /// Manifests that an index names are not in the repository.
    #[error("the repository lacks the manifests {}", .0.join(", "))]
    MissingManifests(Vec<String>),
    /// The tag is another image's and may not move.
    #[error("the tag {tag} of {repository} is taken and immutable")]
    TagTaken {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
    },
    /// A quota of the registry is used up; names it.
    #[error("the quota is used up: {0}")]
    Quota(&'static str),
}

/// A manifest on its way in.
#[derive(Debug)]
pub(crate) struct Push<'p> {
    /// The repository.
    pub(crate) repository: &'p str,
    /// The tag that is to name it.
    pub(crate) tag: Option<&'p str>,
    /// The type that the sender gives it.
    pub(crate) media_type: &'p str,
    /// Its bytes.
    pub(crate) manifest: Bytes,
    /// When; unknown for a scenario's.
    pub(crate) now: Option<Timestamp>,
}

/// Keeps a manifest, and gives its digest. The same manifest again is accepted again.
pub(crate) fn push(store: &mut Store, push: Push<'_>) -> Result<String, PushError> {
    let Push { repository: name, tag, media_type, manifest, now } = push;
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
        if moves && !repository.mutability.lets_move(tag) {
            return Err(PushError::TagTaken { repository: name.to_owned(), tag: tag.to_owned() });
        }
        repository.tags.insert(tag.to_owned(), digest.clone());
    }
    repository.images.entry(digest.clone()).or_insert_with(|| Image {
        media_type: media_type.to_owned(),
        manifest,
        references,
        pushed: now,
        pulled: None,
        contents: Contents::default(),
    });
    Ok(digest)
}

/// The form of a tag (OCI distribution specification), at ECR's length.
pub(crate) fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= TAG_LIMIT
        && tag.starts_with(word)
        && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}
