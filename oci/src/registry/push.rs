//! Pushes an image from memory, and returns a reference that instances can pull.

use std::collections::BTreeSet;
use std::io;

use cutover_rollout::model::{Digest, ImageReference, Repository};

use super::{Blob, Image, Layer, Registry, RegistryError, RemoteLayer, Spool};

/// The result of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushResult {
    /// The image in the repository, pinned by digest.
    pub reference: ImageReference,
    /// Bytes sent; 0 if the registry had everything.
    pub uploaded_bytes: u64,
    /// Blobs sent, including the configuration.
    pub uploaded: usize,
    /// Blobs that existed or were mounted.
    pub existed: usize,
}

impl PushResult {
    fn existing(&mut self) {
        self.existed += 1;
    }

    fn sent(&mut self, bytes: u64) {
        self.uploaded += 1;
        self.uploaded_bytes += bytes;
    }
}

impl Registry {
    /// Pushes `image` to `repository`, then points `tags` to it. A base image's layers come from this
    /// registry, as [`Registry::push_from`] says.
    ///
    /// # Errors
    /// Fails if a step fails permanently; what was uploaded before stays.
    pub async fn push(
        &self,
        image: &Image,
        repository: &Repository,
        tags: &[String],
    ) -> Result<PushResult, RegistryError> {
        self.push_from(self, image, repository, tags).await
    }

    /// Pushes `image`, with its index and the other platforms' images if it has them, to `repository`, then
    /// points `tags` to it. Uploads only what is missing, so an interrupted push resumes. Tags that already
    /// point to it are not written. A base image's layers come from `source`: mounted if that is this
    /// registry and it allows mounting, else through an unnamed file as they arrive.
    ///
    /// # Errors
    /// Fails if a step fails permanently; what was uploaded before stays, and no tag points to an incomplete
    /// image.
    pub async fn push_from(
        &self,
        source: &Registry,
        image: &Image,
        repository: &Repository,
        tags: &[String],
    ) -> Result<PushResult, RegistryError> {
        check_tags(tags)?;
        let reference =
            ImageReference { repository: repository.clone(), digest: image.digest().clone() };
        let mut pushed = PushResult { reference, uploaded_bytes: 0, uploaded: 0, existed: 0 };
        let way = BlobCopier { source, target: self, repository };
        let mut seen = BTreeSet::new();
        for image in image.platforms() {
            way.push_image(image, &mut seen, &mut pushed).await?;
        }
        if let Some(index) = &image.index {
            way.manifest(&index.manifest, &mut pushed).await?;
        }
        self.set_tags(repository, image.tag_target(), tags).await?;
        Ok(pushed)
    }
}

/// Copies an image's content to a repository.
struct BlobCopier<'a> {
    source: &'a Registry,
    target: &'a Registry,
    repository: &'a Repository,
}

impl BlobCopier<'_> {
    /// Uploads the blobs, then the manifest: a registry rejects a manifest that names missing blobs. One
    /// after the other, which keeps runs in the lab reproducible. Skips blobs in `seen`.
    async fn push_image<'i>(
        &self,
        image: &'i Image,
        seen: &mut BTreeSet<&'i Digest>,
        pushed: &mut PushResult,
    ) -> Result<(), RegistryError> {
        for layer in &image.layers {
            match layer {
                _ if !seen.insert(layer.digest()) => {}
                Layer::Local(blob) => self.upload(blob, pushed).await?,
                Layer::There(there) => self.copy(there, pushed).await?,
            }
        }
        if seen.insert(&image.config.digest) {
            self.upload(&image.config, pushed).await?;
        }
        self.manifest(&image.manifest, pushed).await
    }

    /// Stores the manifest if it is missing. That it exists does not prove that its blobs do: registries
    /// allow deleting them.
    async fn manifest(
        &self,
        manifest: &Blob,
        pushed: &mut PushResult,
    ) -> Result<(), RegistryError> {
        let BlobCopier { target, repository, .. } = self;
        let digest = manifest.digest.as_str();
        if target.manifest_digest(repository, digest).await?.is_none() {
            target.put_manifest(repository, digest, manifest).await?;
            pushed.uploaded_bytes += manifest.size();
        }
        Ok(())
    }

    async fn upload(&self, blob: &Blob, pushed: &mut PushResult) -> Result<(), RegistryError> {
        match self.target.ensure_blob(self.repository, blob).await? {
            None => pushed.existing(),
            Some(bytes) => pushed.sent(bytes),
        }
        Ok(())
    }

    async fn copy(
        &self,
        layer: &RemoteLayer,
        pushed: &mut PushResult,
    ) -> Result<(), RegistryError> {
        let BlobCopier { source, target, repository } = self;
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
        let spooled = |error: io::Error| RegistryError::Content(error.to_string());
        let (writer, spool) = Spool::create().map_err(spooled)?;
        let what = format!("{} of {}", layer.digest.short(), layer.repository);
        // The first failure ends both: a failed spool fails its reader, and the source need not be read to
        // its end if the target has refused.
        let reading = source.pull_blob(&layer.repository, &layer.digest, layer.size, writer);
        let writing = target.upload_spool(repository, &spool, &what);
        tokio::try_join!(reading, writing)?;
        pushed.sent(layer.size);
        Ok(())
    }
}

impl Registry {
    /// Points `tags` to the manifest with `digest` in `repository`, once the registry has it. Tags that
    /// already point to it are not written.
    ///
    /// # Errors
    /// Fails if the manifest does not exist, or the registry rejects a tag.
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
        let manifest = self.pushed_manifest(repository, digest).await?;
        self.set_tags(repository, &manifest, tags).await
    }

    /// Points `tags` to an existing manifest. Tags that already point to it are not written.
    async fn set_tags(
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

    /// Returns the manifest of a pushed image.
    ///
    /// # Errors
    /// Fails if it does not exist.
    pub async fn pushed_manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Blob, RegistryError> {
        let reference = ImageReference { repository: repository.clone(), digest: digest.clone() };
        let manifest = self.manifest(repository, digest.as_str()).await?;
        manifest.ok_or(RegistryError::ImageMissing(reference))
    }
}

/// Checks that `tags` are valid.
///
/// # Errors
/// Names the first invalid tag.
pub fn check_tags(tags: &[String]) -> Result<(), RegistryError> {
    match tags.iter().find(|tag| !is_tag(tag)) {
        Some(tag) => Err(RegistryError::Tag(tag.clone())),
        None => Ok(()),
    }
}

/// Returns whether `text` matches the distribution specification's `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}
