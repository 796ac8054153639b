//! Manifests, by digest or tag.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, Response, StatusCode};

use cutover_rollout::model::{Digest, Repository};

use super::client::{Call, Payload, Registry};
use super::{Blob, RegistryError};

/// The digest of the manifest that the registry has stored or is about to send.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// The manifest types of images and indexes. Without them, registries convert to legacy formats.
const KINDS: &str = "application/vnd.oci.image.manifest.v1+json, \
                     application/vnd.oci.image.index.v1+json, \
                     application/vnd.docker.distribution.manifest.v2+json, \
                     application/vnd.docker.distribution.manifest.list.v2+json";

impl Registry {
    /// Returns the digest of the manifest that `reference`, a digest or a tag, points to; `None` if there is
    /// none.
    ///
    /// # Errors
    /// Fails if the registry cannot be reached or refuses.
    pub async fn manifest_digest(
        &self,
        repository: &Repository,
        reference: &str,
    ) -> Result<Option<Digest>, RegistryError> {
        let call = self.manifest_call(Method::HEAD, repository, reference);
        let response = self.send_with_retries(&call).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
        if let Some(digest) = content_digest(&response) {
            return Ok(Some(digest));
        }
        // The header is only recommended; without it, compute the digest from the content.
        Ok(self.manifest(repository, reference).await?.map(|manifest| manifest.digest))
    }

    /// Checks that the registry can be reached and accepts the login. It reports missing permissions only
    /// when they are needed.
    ///
    /// # Errors
    /// Fails if it cannot be reached or refuses the login.
    pub async fn check_access(&self, repository: &Repository) -> Result<(), RegistryError> {
        match self.check_readable(repository).await {
            Err(error) if error.is_access_error() => Err(error),
            _ => Ok(()),
        }
    }

    /// Checks that the registry allows reading the repository, which need not exist yet.
    ///
    /// # Errors
    /// Fails if it does not.
    pub async fn check_readable(&self, repository: &Repository) -> Result<(), RegistryError> {
        let mut call = self.manifest_call(Method::HEAD, repository, "latest");
        call.attempted = format!("read {repository}");
        let response = self.send_with_retries(&call).await?;
        match response.status() {
            StatusCode::OK | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
    }

    /// Returns the manifest that `reference` points to; `None` if there is none.
    ///
    /// # Errors
    /// Fails if the registry cannot be reached or refuses, or the content does not match its digest.
    pub async fn manifest(
        &self,
        repository: &Repository,
        reference: &str,
    ) -> Result<Option<Blob>, RegistryError> {
        let call = self.manifest_call(Method::GET, repository, reference);
        let response = self.send_with_retries(&call).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let manifest = Blob::new(kind.unwrap_or_default(), response.body().clone());
        self.verify_digest(&call, &response, &manifest.digest)?;
        if reference.parse::<Digest>().is_ok_and(|digest| digest != manifest.digest) {
            return Err(RegistryError::Digest {
                attempted: call.attempted,
                stored: manifest.digest.to_string(),
                sent: reference.to_owned(),
            });
        }
        Ok(Some(manifest))
    }

    /// Stores `manifest` under `reference`: its digest, or a tag that then points to it.
    ///
    /// # Errors
    /// Fails if the registry rejects it: a blob is missing, or the tag is immutable.
    pub async fn put_manifest(
        &self,
        repository: &Repository,
        reference: &str,
        manifest: &Blob,
    ) -> Result<(), RegistryError> {
        self.store_manifest(repository, reference, manifest).await.map(drop)
    }

    /// Stores the manifest and returns the response.
    pub(super) async fn store_manifest(
        &self,
        repository: &Repository,
        reference: &str,
        manifest: &Blob,
    ) -> Result<Response<Bytes>, RegistryError> {
        let mut call = self.manifest_call(Method::PUT, repository, reference);
        call.attempted = format!("store the manifest {reference} in {repository}");
        let kind = HeaderValue::from_str(&manifest.media_type)
            .map_err(|_| self.protocol_error(&call, "the manifest has no usable media type"))?;
        call.headers = vec![(CONTENT_TYPE, kind)];
        call.body = Payload::Bytes(manifest.bytes.clone());
        let response = self.send_with_retries(&call).await?;
        if !matches!(response.status(), StatusCode::CREATED | StatusCode::OK) {
            return Err(RegistryError::refused(&call.attempted, repository, &response));
        }
        self.verify_digest(&call, &response, &manifest.digest)?;
        Ok(response)
    }

    /// Fails if the response reports another digest than `expected`.
    pub(super) fn verify_digest(
        &self,
        call: &Call<'_>,
        response: &Response<Bytes>,
        expected: &Digest,
    ) -> Result<(), RegistryError> {
        match content_digest(response) {
            Some(stored) if stored != *expected => Err(RegistryError::Digest {
                attempted: call.attempted.clone(),
                stored: stored.to_string(),
                sent: expected.to_string(),
            }),
            _ => Ok(()),
        }
    }

    fn manifest_call<'a>(
        &self,
        method: Method,
        repository: &'a Repository,
        reference: &str,
    ) -> Call<'a> {
        let attempted = format!("read the manifest {reference} in {repository}");
        let mut call = self.call(method, repository, &format!("manifests/{reference}"), attempted);
        call.headers = vec![(ACCEPT, HeaderValue::from_static(KINDS))];
        call
    }
}

fn content_digest(response: &Response<Bytes>) -> Option<Digest> {
    response.headers().get(CONTENT_DIGEST)?.to_str().ok()?.parse().ok()
}
