//! Prior images in a registry, which tell which blob each of their layers is. They help a machine that has
//! never pushed, like most CI runners. Engines detect errors in them when they pull: a layer that does not
//! match its DiffID is refused.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use super::Destination;
use super::dedupe::Blob;
use super::manifest::diff_ids;
use cutover_oci::image::Codec;
use cutover_oci::registry::{LARGEST_CONFIG, RegistryError};
use cutover_rollout::model::Digest;

/// Prior images to read, at two requests each.
const IMAGES: usize = 5;

/// The members of a manifest or an index that are used here.
#[derive(Deserialize)]
struct Manifest {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
}

/// What prior images contain.
#[derive(Debug, Default)]
pub(super) struct PriorImages {
    /// Blobs by DiffID.
    pub blobs: BTreeMap<Digest, Blob>,
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
        let Some(mut manifest) = read(from, reference).await? else { return Ok(()) };
        if let Some(first) = manifest.manifests.first() {
            let digest = first.digest.to_string();
            let Some(of_platform) = read(from, &digest).await? else { return Ok(()) };
            manifest = of_platform;
        }
        let described = manifest.config.filter(|config| config.size <= LARGEST_CONFIG);
        let Some(described) = described else { return Ok(()) };
        let Destination { repository, registry } = from;
        let config = registry.blob(repository, &described.digest, described.size).await;
        let Ok(config) = config else { return Ok(()) };
        let diff_ids = diff_ids(&config).unwrap_or_default();
        if diff_ids.len() == manifest.layers.len() {
            for (diff_id, layer) in diff_ids.into_iter().zip(manifest.layers) {
                let Some(codec) = Codec::of_media_type(&layer.media_type) else { continue };
                let blob = Blob { digest: layer.digest, size: layer.size, codec };
                self.blobs.insert(diff_id, blob);
            }
            self.configs.insert(described.digest, config);
        }
        Ok(())
    }
}

async fn read(from: &Destination, reference: &str) -> Result<Option<Manifest>, RegistryError> {
    let manifest = from.registry.manifest(&from.repository, reference).await?;
    Ok(manifest.and_then(|manifest| serde_json::from_slice(&manifest.bytes).ok()))
}
