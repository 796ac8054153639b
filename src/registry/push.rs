//! From an image in memory to a reference that instances can pull.

use std::collections::BTreeSet;

use crate::model::{Digest, ImageReference, Repository};

use super::{Image, Registry, RegistryError};

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The image in the repository, pinned.
    pub reference: ImageReference,
    /// Bytes sent; 0 where the registry had everything.
    pub uploaded_bytes: u64,
    /// Blobs that were sent, the configuration among them.
    pub uploaded: usize,
    /// Blobs that were there.
    pub existed: usize,
}

impl Registry {
    /// Brings `image` into `repository`, then lets `tags` name it. Sends only what is missing, so a
    /// push that broke off goes on where it stopped. A tag that names it already isn't written.
    ///
    /// # Errors
    /// Where one step fails for good; what was uploaded before stays.
    pub async fn push(
        &self,
        image: &Image,
        repository: &Repository,
        tags: &[String],
    ) -> Result<Pushed, RegistryError> {
        if let Some(tag) = tags.iter().find(|tag| !is_tag(tag)) {
            return Err(RegistryError::Tag(tag.clone()));
        }
        let digest = image.digest();
        let mut pushed = Pushed {
            reference: ImageReference { repository: repository.clone(), digest: digest.clone() },
            uploaded_bytes: 0,
            uploaded: 0,
            existed: 0,
        };
        if self.manifest_digest(repository, digest.as_str()).await?.is_some() {
            pushed.existed = image.blobs().count();
        } else {
            self.upload(image, repository, &mut pushed).await?;
        }
        for tag in tags {
            if self.manifest_digest(repository, tag).await?.as_ref() != Some(digest) {
                self.put_manifest(repository, tag, &image.manifest).await?;
            }
        }
        Ok(pushed)
    }

    /// The blobs before the manifest: a registry refuses one that names what it doesn't have. One
    /// after the other, which keeps a run in the lab repeatable.
    async fn upload(
        &self,
        image: &Image,
        repository: &Repository,
        pushed: &mut Pushed,
    ) -> Result<(), RegistryError> {
        let mut seen = BTreeSet::new();
        for blob in image.blobs().filter(|blob| seen.insert(&blob.digest)) {
            if self.has_blob(repository, &blob.digest).await? {
                pushed.existed += 1;
            } else {
                self.upload_blob(repository, blob).await?;
                pushed.uploaded += 1;
                pushed.uploaded_bytes += blob.size();
            }
        }
        self.put_manifest(repository, image.digest().as_str(), &image.manifest).await?;
        pushed.uploaded_bytes += image.manifest.size();
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
        if let Some(tag) = tags.iter().find(|tag| !is_tag(tag)) {
            return Err(RegistryError::Tag(tag.clone()));
        }
        if tags.is_empty() {
            return Ok(());
        }
        let reference = ImageReference { repository: repository.clone(), digest: digest.clone() };
        let manifest = self.manifest(repository, digest.as_str()).await?;
        let manifest = manifest.ok_or(RegistryError::Gone(reference))?;
        for tag in tags {
            if self.manifest_digest(repository, tag).await?.as_ref() != Some(digest) {
                self.put_manifest(repository, tag, &manifest).await?;
            }
        }
        Ok(())
    }
}

/// The distribution specification's `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}
