//! Referrers: what is attached to an image, such as an SBOM or provenance (distribution specification,
//! "Pushing Manifests with Subject").

use std::collections::HashMap;

use http::HeaderName;
use oci_spec::image::{Descriptor, ImageIndex, MediaType};

use cutover_rollout::model::{Digest, Repository};

use super::{Blob, Registry, RegistryError, document};

/// The response header of a registry that lists referrers itself.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

impl Registry {
    /// Attaches `artifact`, whose media type says what it is, to the image with the manifest `subject`.
    /// Returns the digest of the referring manifest. Attaching the same artifact twice stores it once.
    ///
    /// # Errors
    /// Fails if the registry rejects it.
    pub async fn attach(
        &self,
        repository: &Repository,
        subject: &Blob,
        artifact: &Blob,
    ) -> Result<Digest, RegistryError> {
        // An artifact has an empty document in place of an image's configuration.
        let nothing = Blob::new(MediaType::EmptyJSON.to_string(), "{}");
        for blob in [artifact, &nothing] {
            self.ensure_blob(repository, blob).await?;
        }
        let manifest = document::artifact_manifest(artifact, &nothing, subject)?;
        let reference = manifest.digest.as_str();
        let answer = self.store_manifest(repository, reference, &manifest).await?;
        if !answer.headers().contains_key(SUBJECT) {
            let mut entry = manifest.descriptor()?;
            entry.set_artifact_type(Some(artifact.media_type.as_str().into()));
            self.list(repository, &subject.digest, entry).await?;
        }
        Ok(manifest.digest)
    }

    /// Adds to the list of an image's referrers, which clients maintain if a registry doesn't (as with GHCR):
    /// an index under a tag. Of two concurrent writers, one may lose its entry: the protocol has no
    /// conditional writes.
    async fn list(
        &self,
        repository: &Repository,
        subject: &Digest,
        entry: Descriptor,
    ) -> Result<(), RegistryError> {
        let tag = subject.as_str().replace(':', "-");
        let known = self.manifest(repository, &tag).await?;
        let known = known.and_then(|index| serde_json::from_slice::<ImageIndex>(&index.bytes).ok());
        let mut entries = known.map(|index| index.manifests().clone()).unwrap_or_default();
        if entries.iter().any(|known| known.digest() == entry.digest()) {
            return Ok(());
        }
        entries.push(entry);
        let index = document::image_index(entries, HashMap::new())?;
        self.put_manifest(repository, &tag, &index).await
    }
}
