//! Manifests: read and written by digest or by tag.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, Response, StatusCode};

use crate::model::{Digest, Repository};

use super::client::{Call, Payload, Registry};
use super::{Blob, RegistryError};

/// What the registry says it has stored or is about to send.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// All that an image's digest may stand for; without it registries convert to what was usual once.
const KINDS: &str = "application/vnd.oci.image.manifest.v1+json, \
                     application/vnd.oci.image.index.v1+json, \
                     application/vnd.docker.distribution.manifest.v2+json, \
                     application/vnd.docker.distribution.manifest.list.v2+json";

impl Registry {
    /// The digest of what `reference` (a digest or a tag) names; `None` where it names nothing.
    ///
    /// # Errors
    /// Where the registry doesn't answer, or doesn't say.
    pub async fn manifest_digest(
        &self,
        repository: &Repository,
        reference: &str,
    ) -> Result<Option<Digest>, RegistryError> {
        let call = self.manifest_call(Method::HEAD, repository, reference);
        let response = self.ask(&call).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
        if let Some(digest) = content_digest(&response) {
            return Ok(Some(digest));
        }
        // The header is only recommended: without it the content itself has to tell.
        Ok(self.manifest(repository, reference).await?.map(|manifest| manifest.digest))
    }

    /// Whether the registry answers, and knows us. What it lets us do it tells when we do it.
    ///
    /// # Errors
    /// Where it doesn't.
    pub async fn reach(&self, repository: &Repository) -> Result<(), RegistryError> {
        match self.look_into(repository).await {
            Err(error) if error.is_of_the_way() => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether the registry lets us look into the repository; it need not exist yet.
    ///
    /// # Errors
    /// Where it doesn't.
    pub async fn look_into(&self, repository: &Repository) -> Result<(), RegistryError> {
        let mut call = self.manifest_call(Method::HEAD, repository, "latest");
        call.attempted = format!("look into {repository}");
        let response = self.ask(&call).await?;
        match response.status() {
            StatusCode::OK | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
    }

    /// The manifest that `reference` names; `None` where it names nothing.
    ///
    /// # Errors
    /// Where the registry doesn't answer, or its answer isn't what its digest says.
    pub async fn manifest(
        &self,
        repository: &Repository,
        reference: &str,
    ) -> Result<Option<Blob>, RegistryError> {
        let call = self.manifest_call(Method::GET, repository, reference);
        let response = self.ask(&call).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let manifest = Blob::new(kind.unwrap_or_default(), response.body().clone());
        self.same_digest(&call, &response, &manifest.digest)?;
        if reference.parse::<Digest>().is_ok_and(|digest| digest != manifest.digest) {
            return Err(RegistryError::Digest {
                attempted: call.attempted,
                stored: manifest.digest.to_string(),
                sent: reference.to_owned(),
            });
        }
        Ok(Some(manifest))
    }

    /// Stores `manifest` under `reference`: its digest, or a tag, which then names it.
    ///
    /// # Errors
    /// Where the registry doesn't take it: a blob is missing, or the tag is immutable.
    pub async fn put_manifest(
        &self,
        repository: &Repository,
        reference: &str,
        manifest: &Blob,
    ) -> Result<(), RegistryError> {
        self.store_manifest(repository, reference, manifest).await.map(drop)
    }

    /// The same, with the answer.
    pub(super) async fn store_manifest(
        &self,
        repository: &Repository,
        reference: &str,
        manifest: &Blob,
    ) -> Result<Response<Bytes>, RegistryError> {
        let mut call = self.manifest_call(Method::PUT, repository, reference);
        call.attempted = format!("store the manifest {reference} in {repository}");
        let kind = HeaderValue::from_str(&manifest.media_type)
            .map_err(|_| self.protocol(&call, "the manifest has no usable media type"))?;
        call.headers = vec![(CONTENT_TYPE, kind)];
        call.body = Payload::Bytes(manifest.bytes.clone());
        let response = self.ask(&call).await?;
        if !matches!(response.status(), StatusCode::CREATED | StatusCode::OK) {
            return Err(RegistryError::refused(&call.attempted, repository, &response));
        }
        self.same_digest(&call, &response, &manifest.digest)?;
        Ok(response)
    }

    /// Refuses an answer that speaks of other content than `expected`.
    pub(super) fn same_digest(
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
