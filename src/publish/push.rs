//! A whole push: layers, configuration, manifest, and only then a tag.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::future::try_join_all;

use super::dedupe::{self, Layer};
use super::transfer::{Transfer, Transferred};
use super::{Destination, LayerCache, manifest};
use cutover_docker::LayerStream;
use cutover_oci::image::{Annotations, Codec};
use cutover_oci::registry::{Blob, RegistryError};
use cutover_rollout::model::{Digest, LayerProgress, LayerState, Repository};

/// What to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageContent {
    /// Digest of its configuration, by which engines name images.
    pub id: Digest,
    /// The configuration, if available without the layers.
    pub config: Option<Bytes>,
    /// DiffIDs of its layers, from the bottom up.
    pub diff_ids: Vec<Digest>,
}

impl ImageContent {
    /// Returns the configuration among the documents that came with the layers. If containerd stores the
    /// images, the ID is the manifest's digest.
    fn config_among(&self, documents: &[Bytes]) -> Option<Bytes> {
        let is_named = |document: &&Bytes| Digest::of(document) == self.id;
        let is_alike =
            |document: &&Bytes| manifest::diff_ids(document).as_ref() == Some(&self.diff_ids);
        let named = documents.iter().find(is_named);
        named.filter(is_alike).or_else(|| documents.iter().find(is_alike)).cloned()
    }
}

/// How to push, and where.
pub struct ImagePush<'a> {
    /// The destinations, which all get the same manifest.
    pub destinations: &'a [Destination],
    /// What earlier pushes have found out.
    pub cache: &'a LayerCache,
    /// Tags of prior images, which are searched for layers that the cache does not have.
    pub prior_tags: &'a [String],
    /// Compression of layers that are not yet compressed.
    pub codec: Codec,
    /// Annotations of its manifest.
    pub annotations: &'a Annotations,
    /// Receives the progress.
    pub emit: &'a dyn Fn(LayerProgress),
}

/// The result of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The digest of the image's manifest, the same everywhere.
    pub digest: Digest,
    /// Bytes of the layers as stored.
    pub size: u64,
    /// Layers that were sent to at least one destination.
    pub sent: usize,
    /// Layers in total.
    pub layers: usize,
    /// Bytes that were sent, by destination.
    pub uploaded: BTreeMap<Repository, u64>,
}

impl Published {
    /// Returns the bytes that were sent to a repository; 0 if everything was there.
    pub fn uploaded(&self, repository: &Repository) -> u64 {
        self.uploaded.get(repository).copied().unwrap_or_default()
    }
}

/// Why an image was not pushed. No manifest names it then; the next attempt finds what was uploaded.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A registry refuses or fails.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The engine did not return a layer, or not all of it.
    #[error(
        "a layer could not be read from the engine or compressed: {0}. Check that the image still exists and that the disk is not full"
    )]
    Unreadable(String),
    /// The spool cannot be written.
    #[error(
        "a layer could not be buffered: {0}. Check that the folder for temporary files (TMPDIR) has enough space"
    )]
    Spool(String),
    /// The engine returned a layer that the image does not have.
    #[error(
        "the engine returned the layer {0}, which the image does not have: its store is damaged or was misread"
    )]
    UnexpectedLayer(Digest),
    /// The engine did not return a layer that the image has.
    #[error("the engine did not return the layer {0}. Check that the image still exists")]
    MissingLayer(Digest),
    /// The engine did not return the configuration.
    #[error(
        "the engine did not return the image's configuration {0}. Check that the image still exists"
    )]
    MissingConfig(Digest),
}

impl ImagePush<'_> {
    /// Pushes the image to all destinations by digest. Sets no tags yet. `open` returns the requested layers,
    /// and possibly others; it is not called if every destination has everything.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn image(
        &self,
        content: &ImageContent,
        open: impl FnOnce(BTreeSet<Digest>) -> LayerStream,
    ) -> Result<Published, PublishError> {
        let (layers, mut earlier) = dedupe::find_existing(self, &content.diff_ids).await?;
        let wanted: BTreeSet<_> =
            layers.iter().filter(|layer| layer.is_missing()).map(|l| l.diff_id.clone()).collect();
        let sent = wanted.len();
        let remembered = || self.cache.config(&content.id);
        let config =
            content.config.clone().or_else(|| content.config_among(remembered().as_slice()));
        let config = config.or_else(|| earlier.configs.remove(&content.id));
        let brought = match &config {
            Some(_) if wanted.is_empty() => Transferred { layers, ..Transferred::default() },
            _ => Transfer::new(self, layers).run(open(wanted)).await?,
        };
        let config = config.or_else(|| content.config_among(&brought.documents));
        let config = config.ok_or_else(|| PublishError::MissingConfig(content.id.clone()))?;
        self.cache.store_config(&content.id, &config);
        let blobs: Vec<_> =
            content.diff_ids.iter().filter_map(|diff_id| brought.blob(diff_id)).collect();
        let size = blobs.iter().map(|blob| blob.size).sum();
        let (config, manifest) =
            manifest::of(config, &blobs, self.annotations).map_err(RegistryError::from)?;
        let delivered = self.destinations.iter().map(|to| push_manifest(to, &config, &manifest));
        let delivered = try_join_all(delivered).await?;
        let (layers, mut uploaded) = (content.diff_ids.len(), brought.uploaded);
        for (to, bytes) in self.destinations.iter().zip(delivered).filter(|(_, bytes)| *bytes > 0) {
            *uploaded.entry(to.repository.clone()).or_default() += bytes;
        }
        Ok(Published { digest: manifest.digest, size, sent, layers, uploaded })
    }

    /// Reports the state of the layer at this index.
    pub(super) fn emit(&self, layers: &[Layer], at: usize, state: LayerState) {
        let diff_id = layers[at].diff_id.clone();
        let repositories = self.destinations.len();
        let layers = layers.len();
        (self.emit)(LayerProgress { layer: at + 1, layers, diff_id, repositories, state });
    }
}

/// Pushes configuration and manifest to a destination that has the layers; returns the bytes that were sent.
/// A manifest that exists proves nothing: registries allow deleting what it names.
async fn push_manifest(
    to: &Destination,
    config: &Blob,
    manifest: &Blob,
) -> Result<u64, RegistryError> {
    let Destination { repository, registry } = to;
    let sent = registry.ensure_blob(repository, config).await?.unwrap_or_default();
    if registry.manifest_digest(repository, manifest.digest.as_str()).await?.is_some() {
        return Ok(sent);
    }
    registry.put_manifest(repository, manifest.digest.as_str(), manifest).await?;
    Ok(sent + manifest.size())
}
