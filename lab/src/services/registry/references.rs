//! The references in manifests.

use serde_json::Value as Json;

use super::digest::is_digest;
use super::push_error::PushError;

/// The blobs and manifests that a manifest refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct References {
    /// The digests of its configuration and layers.
    pub(crate) blobs: Vec<String>,
    /// The digests of an index's manifests.
    pub(crate) manifests: Vec<String>,
    /// Whether it is an index of other manifests.
    pub(crate) is_index: bool,
    /// The digest of the manifest that it refers to as its subject (OCI image specification, `subject`).
    pub(crate) subject: Option<String>,
    /// The artifact type: `artifactType`, or else the media type of its configuration.
    pub(crate) artifact_type: Option<String>,
}

impl References {
    /// Reads the references of a manifest or an index.
    pub(crate) fn of(manifest: &[u8]) -> Result<References, PushError> {
        let json: Json = serde_json::from_slice(manifest)
            .map_err(|error| PushError::Invalid(error.to_string()))?;
        if json["schemaVersion"] != 2 {
            return Err(PushError::Invalid("schemaVersion must be 2".to_owned()));
        }
        let is_index = json["manifests"].is_array();
        if !is_index && !json["config"].is_object() {
            return Err(PushError::Invalid("neither config nor manifests is set".to_owned()));
        }
        let mut blobs = Vec::new();
        if !is_index {
            blobs.push(digest_in(&json["config"])?);
            blobs.extend(digests_in(&json["layers"])?);
        }
        let manifests = digests_in(&json["manifests"])?;
        let subject = &json["subject"];
        let subject = if subject.is_null() { None } else { Some(digest_in(subject)?) };
        let named = json["artifactType"].as_str().or_else(|| json["config"]["mediaType"].as_str());
        let artifact_type = named.map(str::to_owned);
        Ok(References { blobs, manifests, is_index, subject, artifact_type })
    }
}

/// Returns the digests in a list of descriptors. Skips layers with `urls`, which are stored elsewhere
/// ("foreign layers").
fn digests_in(list: &Json) -> Result<Vec<String>, PushError> {
    let items = list.as_array().into_iter().flatten();
    items.filter(|item| item["urls"].as_array().is_none_or(Vec::is_empty)).map(digest_in).collect()
}

fn digest_in(descriptor: &Json) -> Result<String, PushError> {
    let digest = descriptor["digest"].as_str().filter(|digest| is_digest(digest));
    let digest = digest.map(str::to_owned);
    digest.ok_or_else(|| PushError::Invalid("a descriptor has no sha256 digest".to_owned()))
}
