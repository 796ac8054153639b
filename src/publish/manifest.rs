//! The documents of an engine's image: its configuration, and the manifest that we write.

use bytes::Bytes;
use oci_spec::image::MediaType;

use super::stored_layer::StoredLayer;
use cutover_oci::image::{Annotations, Configuration};
use cutover_oci::registry::Blob;
use cutover_oci::registry::document::{DocumentError, descriptor, image_manifest};
use cutover_rollout::model::Digest;

/// Returns the DiffIDs of a configuration; `None` if the document is not a configuration.
pub(super) fn diff_ids(config: &[u8]) -> Option<Vec<Digest>> {
    Some(Configuration::read(config).ok()?.diff_ids().to_vec())
}

/// Returns the configuration as a blob, and the manifest over it and `layers`. A creation time that is not
/// among the annotations is taken from the configuration: the same image has the same manifest.
pub(super) fn of(
    config: Bytes,
    layers: &[&StoredLayer],
    annotations: &Annotations,
) -> Result<(Blob, Blob), DocumentError> {
    let read = Configuration::read(&config).ok();
    let created = annotations.created.or_else(|| read?.created?.parse().ok());
    let annotations = Annotations { created, ..annotations.clone() }.by_key();
    let config = Blob::new(MediaType::ImageConfig.to_string(), config);
    let layers = layers
        .iter()
        .map(|blob| descriptor(blob.codec.media_type(), &blob.digest, blob.size))
        .collect::<Result<_, _>>()?;
    let manifest = image_manifest(&config, layers, annotations)?;
    Ok((config, manifest))
}
