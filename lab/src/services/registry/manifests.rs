//! Accepting manifests.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::contents::Contents;
use super::digest::digest_of;
use super::{Image, State};

/// The largest manifest (ECR service quotas).
const SIZE_LIMIT: usize = 4 << 20;

/// The longest tag (ECR API model).
const TAG_LIMIT: usize = 300;

/// Why an image is not accepted. The two APIs word these in their own ways.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// There is no such repository.
    #[error("there is no repository {0}")]
    UnknownRepository(String),
    /// It is not a manifest; says why.
    #[error("not a manifest: {0}")]
    Invalid(String),
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
}

/// What a manifest refers to.
pub(super) struct References {
    /// Its configuration and layers.
    pub(super) blobs: Vec<String>,
    /// The manifests of an index.
    pub(super) manifests: Vec<String>,
}

impl References {
    /// Reads them from a manifest or an index.
    pub(super) fn of(manifest: &[u8]) -> Result<References, PushError> {
        let json: Json = serde_json::from_slice(manifest)
            .map_err(|error| PushError::Invalid(error.to_string()))?;
        if json["schemaVersion"] != 2 {
            return Err(PushError::Invalid("schemaVersion must be 2".to_owned()));
        }
        let all = |list: &Json| -> Vec<String> {
            let items = list.as_array().into_iter().flatten();
            // A layer with addresses of its own is kept elsewhere ("foreign").
            items
                .filter(|item| item["urls"].as_array().is_none_or(Vec::is_empty))
                .filter_map(|item| item["digest"].as_str().map(str::to_owned))
                .collect()
        };
        let mut blobs: Vec<String> =
            json["config"]["digest"].as_str().map(str::to_owned).into_iter().collect();
        blobs.extend(all(&json["layers"]));
        let manifests = all(&json["manifests"]);
        if blobs.is_empty() && !json["manifests"].is_array() {
            return Err(PushError::Invalid("it has neither a config nor manifests".to_owned()));
        }
        Ok(References { blobs, manifests })
    }
}

/// Keeps a manifest, under `tag` if one is given, and gives its digest. The same manifest again is
/// accepted again.
pub(crate) fn push(
    state: &mut State,
    name: &str,
    tag: Option<&str>,
    media_type: &str,
    manifest: Bytes,
    now: Option<Timestamp>,
) -> Result<String, PushError> {
    let Some(repository) = state.repositories.get_mut(name) else {
        return Err(PushError::UnknownRepository(name.to_owned()));
    };
    if manifest.len() > SIZE_LIMIT {
        return Err(PushError::Invalid(format!("it is larger than {SIZE_LIMIT} bytes")));
    }
    let References { mut blobs, mut manifests } = References::of(&manifest)?;
    blobs.retain(|digest| !repository.blobs.contains(digest));
    if !blobs.is_empty() {
        return Err(PushError::MissingBlobs(blobs));
    }
    manifests.retain(|digest| !repository.images.contains_key(digest));
    if !manifests.is_empty() {
        return Err(PushError::MissingManifests(manifests));
    }
    let digest = digest_of(&manifest);
    if let Some(tag) = tag {
        if !is_tag(tag) {
            return Err(PushError::Invalid(format!("{tag} is no tag")));
        }
        let holder = repository.tags.get(tag);
        if repository.immutable && holder.is_some_and(|holder| *holder != digest) {
            return Err(PushError::TagTaken { repository: name.to_owned(), tag: tag.to_owned() });
        }
        repository.tags.insert(tag.to_owned(), digest.clone());
    }
    repository.images.entry(digest.clone()).or_insert_with(|| Image {
        media_type: media_type.to_owned(),
        manifest,
        pushed: now,
        contents: Contents::default(),
    });
    Ok(digest)
}

/// The form of a tag (OCI distribution specification), at ECR's length.
fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= TAG_LIMIT
        && tag.starts_with(word)
        && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}
