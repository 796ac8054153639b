//! The whole of a push: layers, configuration, manifest, and only then a name.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::future::try_join_all;

use super::survey::{self, Layer};
use super::transfer::{Brought, Transfer};
use super::{Destination, Memory, manifest};
use crate::docker::Arrivals;
use crate::image::{Annotations, Codec};
use crate::model::{Digest, LayerProgress, LayerState, Repository};
use crate::registry::{Blob, RegistryError};

/// What is to be pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The digest of its configuration, by which engines name images.
    pub id: Digest,
    /// The configuration, where it can be had without the layers.
    pub config: Option<Bytes>,
    /// Its layers from the bottom up, by DiffID.
    pub diff_ids: Vec<Digest>,
}

impl Content {
    /// The configuration among documents that came along with the layers. Where containerd keeps the
    /// images, the id is the manifest's digest.
    fn config_among(&self, documents: &[Bytes]) -> Option<Bytes> {
        let is_named = |document: &&Bytes| Digest::of(document) == self.id;
        let is_alike =
            |document: &&Bytes| manifest::diff_ids(document).as_ref() == Some(&self.diff_ids);
        let named = documents.iter().find(is_named);
        named.filter(is_alike).or_else(|| documents.iter().find(is_alike)).cloned()
    }
}

/// How to push, and where to.
pub struct Push<'a> {
    /// All get the same manifest.
    pub destinations: &'a [Destination],
    /// What earlier pushes have found out.
    pub memory: &'a Memory,
    /// What earlier images may be called, whose layers are looked for where nothing is remembered.
    pub earlier: &'a [String],
    /// How layers are compressed that don't come compressed.
    pub codec: Codec,
    /// What its manifest tells of the image.
    pub annotations: &'a Annotations,
    /// Is told what happens.
    pub tell: &'a dyn Fn(LayerProgress),
}

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The image's identity, the same everywhere: the digest of its manifest.
    pub digest: Digest,
    /// Bytes of the layers, as they are stored.
    pub size: u64,
    /// Layers that were sent to at least one destination.
    pub sent: usize,
    /// Layers in all.
    pub layers: usize,
    /// Bytes that were sent, by destination.
    pub uploaded: BTreeMap<Repository, u64>,
}

impl Published {
    /// Bytes that were sent there; 0 where everything was there.
    pub fn uploaded(&self, repository: &Repository) -> u64 {
        self.uploaded.get(repository).copied().unwrap_or_default()
    }
}

/// Why an image was not pushed. Nothing names it then; what was uploaded is found by the next attempt.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A registry's answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The engine did not give a layer, or not all of it.
    #[error(
        "a layer could not be read from the engine, or compressed: {0}. Is the image still there? Is the disk full?"
    )]
    Unreadable(String),
    /// The folder for temporary files.
    #[error(
        "a layer could not be kept on its way: {0}. Is there room in the folder for temporary files (TMPDIR)?"
    )]
    Spool(String),
    /// What came out of the engine was not in the image.
    #[error(
        "the engine gave a layer {0}, which the image does not have: its store is damaged, or was read wrongly"
    )]
    Changed(Digest),
    /// What was in the image did not come out of the engine.
    #[error("the engine did not give the layer {0}. Was the image removed meanwhile?")]
    Missing(Digest),
    /// There is no configuration.
    #[error(
        "the engine did not give the image's configuration {0}. Was the image removed meanwhile?"
    )]
    NoConfig(Digest),
}

impl Push<'_> {
    /// Brings the image to all destinations, under its digest; no tag names it yet. `open` gives the
    /// layers that are asked for, and may give others; it isn't called where everybody has everything.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn image(
        &self,
        content: &Content,
        open: impl FnOnce(BTreeSet<Digest>) -> Arrivals,
    ) -> Result<Published, PublishError> {
        let (layers, mut earlier) = survey::survey(self, &content.diff_ids).await?;
        let wanted: BTreeSet<_> =
            layers.iter().filter(|layer| layer.is_wanted()).map(|l| l.diff_id.clone()).collect();
        let sent = wanted.len();
        let remembered = || self.memory.config(&content.id);
        let config =
            content.config.clone().or_else(|| content.config_among(remembered().as_slice()));
        let config = config.or_else(|| earlier.configs.remove(&content.id));
        let brought = match &config {
            Some(_) if wanted.is_empty() => Brought { layers, ..Brought::default() },
            _ => Transfer::new(self, layers).run(open(wanted)).await?,
        };
        let config = config.or_else(|| content.config_among(&brought.documents));
        let config = config.ok_or_else(|| PublishError::NoConfig(content.id.clone()))?;
        self.memory.note_config(&content.id, &config);
        let blobs: Vec<_> =
            content.diff_ids.iter().filter_map(|diff_id| brought.blob(diff_id)).collect();
        let size = blobs.iter().map(|blob| blob.size).sum();
        let (config, manifest) = manifest::of(config, &blobs, self.annotations);
        let delivered = self.destinations.iter().map(|to| deliver(to, &config, &manifest));
        let delivered = try_join_all(delivered).await?;
        let (layers, mut uploaded) = (content.diff_ids.len(), brought.uploaded);
        for (to, bytes) in self.destinations.iter().zip(delivered).filter(|(_, bytes)| *bytes > 0) {
            *uploaded.entry(to.repository.clone()).or_default() += bytes;
        }
        Ok(Published { digest: manifest.digest, size, sent, layers, uploaded })
    }

    /// Tells what has happened to the layer at this place.
    pub(super) fn tell(&self, layers: &[Layer], at: usize, state: LayerState) {
        let diff_id = layers[at].diff_id.clone();
        (self.tell)(LayerProgress { layer: at + 1, layers: layers.len(), diff_id, state });
    }
}

/// Configuration and manifest to one destination, which has the layers; gives the bytes that were sent.
/// A manifest that is there proves nothing: registries let what it names be deleted.
async fn deliver(to: &Destination, config: &Blob, manifest: &Blob) -> Result<u64, RegistryError> {
    let Destination { repository, registry } = to;
    let sent = registry.bring_blob(repository, config).await?.unwrap_or_default();
    if registry.manifest_digest(repository, manifest.digest.as_str()).await?.is_some() {
        return Ok(sent);
    }
    registry.put_manifest(repository, manifest.digest.as_str(), manifest).await?;
    Ok(sent + manifest.size())
}
