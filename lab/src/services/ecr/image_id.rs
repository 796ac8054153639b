//! How requests name images.

use super::errors::one_of;
use crate::services::registry::{Repository, is_digest, is_tag};
use crate::wire::{ApiResult, Value, map};

/// The `tagStatus` filter of list operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagStatus {
    Any,
    Tagged,
    Untagged,
}

impl TagStatus {
    pub(super) fn of(filter: &Value) -> ApiResult<TagStatus> {
        Ok(match one_of(filter, "tagStatus", &["TAGGED", "UNTAGGED", "ANY"], "ANY")? {
            "TAGGED" => TagStatus::Tagged,
            "UNTAGGED" => TagStatus::Untagged,
            _ => TagStatus::Any,
        })
    }

    pub(super) fn matches(self, tagged: bool) -> bool {
        match self {
            TagStatus::Any => true,
            TagStatus::Tagged => tagged,
            TagStatus::Untagged => !tagged,
        }
    }
}

/// Returns the digest of the image that an image ID names, or the failure code (API model,
/// `ImageFailureCode`).
pub(super) fn find(repository: &Repository, id: &Value) -> Result<String, &'static str> {
    let (digest, tag) = (id.str("imageDigest"), id.str("imageTag"));
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Err("InvalidImageDigest");
    }
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err("InvalidImageTag");
    }
    let named = tag.map(|tag| repository.tags.get(tag).ok_or("ImageNotFound")).transpose()?;
    match (digest, named) {
        (None, None) => Err("MissingDigestAndTag"),
        (Some(digest), Some(named)) if digest != named => Err("ImageTagDoesNotMatchDigest"),
        (Some(digest), _) if !repository.images.contains_key(digest) => Err("ImageNotFound"),
        (Some(digest), _) => Ok(digest.to_owned()),
        (None, Some(named)) => Ok(named.clone()),
    }
}

pub(super) fn image_id(digest: &str, tag: Option<&str>) -> Value {
    map([("imageDigest", digest.into()), ("imageTag", tag.into())])
}
