//! Manifests and indexes, with the types of `oci-spec`: written with sorted keys and without whitespace, so that equal
//! content has an equal digest.
//!
//! Configurations are not among them: engines and builders add members of their own to them, which a derived image
//! keeps, and those types drop what they do not know.

use std::collections::HashMap;

use oci_spec::image::{
    Descriptor, ImageIndexBuilder, ImageManifestBuilder, MediaType, SCHEMA_VERSION,
};
use oci_spec::{OciSpecError, image};
use serde::Serialize;

use cutover_rollout::model::Digest;

use super::Blob;

/// A manifest or index could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the image's manifest cannot be written: {0}")]
pub struct DocumentError(String);

impl From<OciSpecError> for DocumentError {
    fn from(error: OciSpecError) -> DocumentError {
        DocumentError(error.to_string())
    }
}

impl From<serde_json::Error> for DocumentError {
    fn from(error: serde_json::Error) -> DocumentError {
        DocumentError(error.to_string())
    }
}

/// Returns the descriptor of content with this media type, digest and size in bytes.
///
/// # Errors
/// Fails if `oci-spec` refuses the digest.
pub fn descriptor(
    media_type: &str,
    digest: &Digest,
    size: u64,
) -> Result<Descriptor, DocumentError> {
    let digest: image::Digest = digest.as_str().parse()?;
    Ok(Descriptor::new(media_type.into(), size, digest))
}

/// Returns the digest of a descriptor.
///
/// # Errors
/// Returns the digest as it is written if it is not SHA-256.
pub fn digest(of: &Descriptor) -> Result<Digest, String> {
    let digest = of.digest().to_string();
    digest.parse().map_err(|_| digest)
}

impl Blob {
    /// Returns the descriptor of this content.
    ///
    /// # Errors
    /// Fails if `oci-spec` refuses the digest.
    pub fn descriptor(&self) -> Result<Descriptor, DocumentError> {
        descriptor(&self.media_type, &self.digest, self.size())
    }
}

/// Returns the manifest of an image with this configuration and these layers, from the bottom up.
///
/// # Errors
/// Fails if `oci-spec` refuses it.
pub fn image_manifest(
    config: &Blob,
    layers: Vec<Descriptor>,
    annotations: HashMap<String, String>,
) -> Result<Blob, DocumentError> {
    let mut manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(config.descriptor()?)
        .layers(layers);
    if !annotations.is_empty() {
        manifest = manifest.annotations(annotations);
    }
    write(&MediaType::ImageManifest, &manifest.build()?)
}

/// Returns the manifest that attaches `artifact` to the image with the manifest `subject`; `config` is the empty
/// document in place of a configuration.
///
/// # Errors
/// Fails if `oci-spec` refuses it.
pub(super) fn artifact_manifest(
    artifact: &Blob,
    config: &Blob,
    subject: &Blob,
) -> Result<Blob, DocumentError> {
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .artifact_type(artifact.media_type.as_str())
        .config(config.descriptor()?)
        .layers([artifact.descriptor()?])
        .subject(subject.descriptor()?);
    write(&MediaType::ImageManifest, &manifest.build()?)
}

/// Returns the index over these manifests.
///
/// # Errors
/// Fails if `oci-spec` refuses it.
pub fn image_index(
    manifests: Vec<Descriptor>,
    annotations: HashMap<String, String>,
) -> Result<Blob, DocumentError> {
    let mut index = ImageIndexBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageIndex)
        .manifests(manifests);
    if !annotations.is_empty() {
        index = index.annotations(annotations);
    }
    write(&MediaType::ImageIndex, &index.build()?)
}

fn write(media_type: &MediaType, document: &impl Serialize) -> Result<Blob, DocumentError> {
    let mut json = serde_json::to_value(document)?;
    json.sort_all_objects();
    Ok(Blob::new(media_type.to_string(), serde_json::to_vec(&json)?))
}
