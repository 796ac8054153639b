//! What belongs to an image without being in it: a bill of materials, a provenance (distribution
//! specification, "Pushing Manifests with Subject").

use http::HeaderName;
use oci_spec::image::MediaType;
use serde_json::{Value, json};

use crate::model::{Digest, Repository};

use super::{Blob, Registry, RegistryError};

/// What a registry answers that lists referrers by itself.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

impl Registry {
    /// Attaches `artifact` to the image that `subject` is the manifest of; its media type says what it
    /// is. Gives the digest of the manifest that does so. The same artifact twice is there once.
    ///
    /// # Errors
    /// Where the registry doesn't take it.
    pub async fn attach(
        &self,
        repository: &Repository,
        subject: &Blob,
        artifact: &Blob,
    ) -> Result<Digest, RegistryError> {
        // What an artifact has where an image has its configuration.
        let nothing = Blob::new(MediaType::EmptyJSON.to_string(), "{}");
        for blob in [artifact, &nothing] {
            self.bring_blob(repository, blob).await?;
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::ImageManifest.to_string(),
            "artifactType": artifact.media_type,
            "config": descriptor(&nothing),
            "layers": [descriptor(artifact)],
            "subject": descriptor(subject),
        });
        let manifest = Blob::new(MediaType::ImageManifest.to_string(), manifest.to_string());
        let reference = manifest.digest.as_str();
        let answer = self.store_manifest(repository, reference, &manifest).await?;
        if !answer.headers().contains_key(SUBJECT) {
            let mut listed = descriptor(&manifest);
            listed["artifactType"] = artifact.media_type.clone().into();
            self.list(repository, &subject.digest, listed).await?;
        }
        Ok(manifest.digest)
    }

    /// Adds to the list of an image's referrers, which clients keep where a registry doesn't: an index
    /// under a tag (GHCR has no other). Two that do so at once may lose one of both entries: the
    /// protocol knows no condition.
    async fn list(
        &self,
        repository: &Repository,
        subject: &Digest,
        entry: Value,
    ) -> Result<(), RegistryError> {
        let tag = subject.as_str().replace(':', "-");
        let known = self.manifest(repository, &tag).await?;
        let known = known.and_then(|index| serde_json::from_slice::<Value>(&index.bytes).ok());
        let mut entries = known
            .and_then(|mut index| Some(index.get_mut("manifests")?.as_array_mut()?.split_off(0)))
            .unwrap_or_default();
        if entries.iter().any(|known| known["digest"] == entry["digest"]) {
            return Ok(());
        }
        entries.push(entry);
        let index = json!({ "schemaVersion": 2, "mediaType": MediaType::ImageIndex.to_string(), "manifests": entries });
        self.put_manifest(
            repository,
            &tag,
            &Blob::new(MediaType::ImageIndex.to_string(), index.to_string()),
        )
        .await
    }
}

fn descriptor(blob: &Blob) -> Value {
    json!({ "mediaType": blob.media_type, "digest": blob.digest, "size": blob.size() })
}
