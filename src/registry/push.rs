//! From an image in memory to a reference that instances can pull.

use std::collections::BTreeSet;
use std::io;

use crate::model::{Digest, ImageReference, Repository};

use super::{Blob, Image, Layer, Registry, RegistryError, Spool, There};

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The image in the repository, pinned.
    pub reference: ImageReference,
    /// Bytes sent; 0 where the registry had everything.
    pub uploaded_bytes: u64,
    /// Blobs that were sent, the configuration among them.
    pub uploaded: usize,
    /// Blobs that were there, or were mounted.
    pub existed: usize,
}

impl Pushed {
    fn existing(&mut self) {
        self.existed += 1;
    }

    fn sent(&mut self, bytes: u64) {
        self.uploaded += 1;
        self.uploaded_bytes += bytes;
    }
}

impl Registry {
    /// Brings `image` into `repository`, then lets `tags` name it. Layers of a base are found in this
    /// registry, as [`Registry::push_from`] says.
    ///
    /// # Errors
    /// Where one step fails for good; what was uploaded before stays.
    pub async fn push(
        &self,
        image: &Image,
        repository: &Repository,
        tags: &[String],
    ) -> Result<Pushed, RegistryError> {
        self.push_from(self, image, repository, tags).await
    }

    /// Brings `image`, with its index and the other platforms' images if it has them, into
    /// `repository`, then lets `tags` name it. Sends only what is missing, so a push that broke off
    /// goes on where it stopped. A tag that names it already isn't written. A base's layers come from
    /// `source`: mounted where that is this registry and it grants it, or else through a file without
    /// a name, while they arrive.
    ///
    /// # Errors
    /// Where one step fails for good; what was uploaded before stays, and no tag names a part.
    pub async fn push_from(
        &self,
        source: &Registry,
        image: &Image,
        repository: &Repository,
        tags: &[String],
    ) -> Result<Pushed, RegistryError> {
        check_tags(tags)?;
        let reference =
            ImageReference { repository: repository.clone(), digest: image.digest().clone() };
        let mut pushed = Pushed { reference, uploaded_bytes: 0, uploaded: 0, existed: 0 };
        let way = Way { source, target: self, repository };
        let mut seen = BTreeSet::new();
        for image in image.platforms() {
            way.bring(image, &mut seen, &mut pushed).await?;
        }
        if let Some(index) = &image.index {
            way.manifest(&index.manifest, &mut pushed).await?;
        }
        self.name(repository, image.top(), tags).await?;
        Ok(pushed)
    }
}

/// From where to where.
struct Way<'a> {
    source: &'a Registry,
    target: &'a Registry,
    repository: &'a Repository,
}

impl Way<'_> {
    /// The blobs before the manifest: a registry refuses one that names what it doesn't have. One
    /// after the other, which keeps a run in the lab repeatable. What was `seen` is there.
    async fn bring<'i>(
        &self,
        image: &'i Image,
        seen: &mut BTreeSet<&'i Digest>,
        pushed: &mut Pushed,
    ) -> Result<(), RegistryError> {
        for layer in &image.layers {
            match layer {
                _ if !seen.insert(layer.digest()) => {}
                Layer::Here(blob) => self.upload(blob, pushed).await?,
                Layer::There(there) => self.copy(there, pushed).await?,
            }
        }
        if seen.insert(&image.config.digest) {
            self.upload(&image.config, pushed).await?;
        }
        self.manifest(&image.manifest, pushed).await
    }

    /// A manifest that is there says nothing of what it names, which registries let be deleted.
    async fn manifest(&self, manifest: &Blob, pushed: &mut Pushed) -> Result<(), RegistryError> {
        let Way { target, repository, .. } = self;
        let digest = manifest.digest.as_str();
        if target.manifest_digest(repository, digest).await?.is_none() {
            target.put_manifest(repository, digest, manifest).await?;
            pushed.uploaded_bytes += manifest.size();
        }
        Ok(())
    }

    async fn upload(&self, blob: &Blob, pushed: &mut Pushed) -> Result<(), RegistryError> {
        match self.target.bring_blob(self.repository, blob).await? {
            None => pushed.existing(),
            Some(bytes) => pushed.sent(bytes),
        }
        Ok(())
    }

    async fn copy(&self, layer: &There, pushed: &mut Pushed) -> Result<(), RegistryError> {
        let Way { source, target, repository } = self;
        if target.has_blob(repository, &layer.digest).await? {
            pushed.existing();
            return Ok(());
        }
        if layer.repository.registry() == repository.registry()
            && target.mount(repository, &layer.digest, &layer.repository).await?
        {
            pushed.existing();
            return Ok(());
        }
        let spooled = |error: io::Error| RegistryError::Source(error.to_string());
        let (writer, spool) = Spool::create().map_err(spooled)?;
        let what = format!("{} of {}", layer.digest.short(), layer.repository);
        // Whichever fails first ends both: a reader of a spool that failed fails by itself, and a
        // source need not be read to its end for a target that has refused.
        let reading = source.pull_blob(&layer.repository, &layer.digest, layer.size, writer);
        let writing = target.upload_growing(repository, &spool, &what);
        tokio::try_join!(reading, writing)?;
        pushed.sent(layer.size);
        Ok(())
    }
}

impl Registry {
    /// Lets `tags` name what is in `repository` under `digest`, once the registry has it there. A tag
    /// that names it already isn't written.
    ///
    /// # Errors
    /// Where there is nothing under the digest, or the registry doesn't take a tag.
    pub async fn tag(
        &self,
        repository: &Repository,
        digest: &Digest,
        tags: &[String],
    ) -> Result<(), RegistryError> {
        check_tags(tags)?;
        if tags.is_empty() {
            return Ok(());
        }
        let manifest = self.pushed(repository, digest).await?;
        self.name(repository, &manifest, tags).await
    }

    /// Lets `tags` name a manifest that is there; those that do already aren't written.
    async fn name(
        &self,
        repository: &Repository,
        manifest: &Blob,
        tags: &[String],
    ) -> Result<(), RegistryError> {
        for tag in tags {
            if self.manifest_digest(repository, tag).await?.as_ref() != Some(&manifest.digest) {
                self.put_manifest(repository, tag, manifest).await?;
            }
        }
        Ok(())
    }

    /// The manifest of what was pushed.
    ///
    /// # Errors
    /// Where it is not there.
    pub async fn pushed(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Blob, RegistryError> {
        let reference = ImageReference { repository: repository.clone(), digest: digest.clone() };
        let manifest = self.manifest(repository, digest.as_str()).await?;
        manifest.ok_or(RegistryError::Gone(reference))
    }
}

/// Refuses what no registry takes for a tag.
///
/// # Errors
/// Names the first that is none.
pub fn check_tags(tags: &[String]) -> Result<(), RegistryError> {
    match tags.iter().find(|tag| !is_tag(tag)) {
        Some(tag) => Err(RegistryError::Tag(tag.clone())),
        None => Ok(()),
    }
}

/// The distribution specification's `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}
