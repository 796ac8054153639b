//! Prior images in a registry, which tell which blob each of their layers is. They help a machine that has
//! never pushed, like most CI runners. Engines detect errors in them when they pull: a layer that does not
//! match its DiffID is refused.

use std::collections::BTreeMap;

use bytes::Bytes;
use oci_spec::image::{ImageIndex, ImageManifest};

use super::Destination;
use super::manifest::diff_ids;
use super::stored_layer::StoredLayer;
use cutover_oci::image::Codec;
use cutover_oci::registry::document::digest;
use cutover_oci::registry::{LARGEST_CONFIG, RegistryError};
use cutover_rollout::model::Digest;

/// Prior images to read, at two requests each.
const IMAGES: usize = 5;

/// What prior images contain.
#[derive(Debug, Default)]
pub(super) struct PriorImages {
    /// Blobs by DiffID.
    pub blobs: BTreeMap<Digest, StoredLayer>,
    /// Configurations by digest.
    pub configs: BTreeMap<Digest, Bytes>,
}

/// Returns the blobs of `wanted` layers, as far as prior images of the destination contain them: first the
/// images of `tags`, then others, until all are found. Skips what cannot be read: permission to push does not
/// imply permission to read.
pub(super) async fn blobs(from: &Destination, tags: &[String], wanted: &[&Digest]) -> PriorImages {
    let mut known = PriorImages::default();
    // The newest are likely to be last if tags are numbers or dates.
    let others = from.registry.tags(&from.repository).await.unwrap_or_default();
    let others = others.into_iter().rev().filter(|other| !tags.contains(other));
    for tag in tags.iter().cloned().chain(others).take(IMAGES) {
        if wanted.iter().all(|diff_id| known.blobs.contains_key(*diff_id)) {
            break;
        }
        if let Err(error) = known.look_into(from, &tag).await {
            tracing::debug!(%error, "a prior image cannot be read");
            break;
        }
    }
    known
}

impl PriorImages {
    /// Adds the layers and the configuration of the image that `reference` points to.
    async fn look_into(
        &mut self,
        from: &Destination,
        reference: &str,
    ) -> Result<(), RegistryError> {
        let Destination { repository, registry } = from;
        let Some(mut document) = registry.manifest(repository, reference).await? else {
            return Ok(());
        };
        if let Ok(index) = serde_json::from_slice::<ImageIndex>(&document.bytes) {
            let Some(first) = index.manifests().first() else { return Ok(()) };
            let digest = first.digest().to_string();
            let Some(of_platform) = registry.manifest(repository, &digest).await? else {
                return Ok(());
            };
            document = of_platform;
        }
        let Ok(manifest) = serde_json::from_slice::<ImageManifest>(&document.bytes) else {
            return Ok(());
        };
        let described = manifest.config();
        let Some(id) = digest(described).ok().filter(|_| described.size() <= LARGEST_CONFIG) else {
            return Ok(());
        };
        let Ok(config) = registry.blob(repository, &id, described.size()).await else {
            return Ok(());
        };
        let diff_ids = diff_ids(&config).unwrap_or_default();
        if diff_ids.len() == manifest.layers().len() {
            for (diff_id, layer) in diff_ids.into_iter().zip(manifest.layers()) {
                let codec = Codec::of_media_type(layer.media_type().as_ref());
                let Some((codec, digest)) = codec.zip(digest(layer).ok()) else { continue };
                self.blobs.insert(diff_id, StoredLayer { digest, size: layer.size(), codec });
            }
            self.configs.insert(id, config);
        }
        Ok(())
    }
}
