//! Blobs: existence and upload.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, Response, StatusCode};

use cutover_rollout::model::{Digest, Repository};

use super::client::{Call, Payload, Registry};
use super::{Blob, RegistryError};

/// The content type of a blob in transit, whatever its media type.
pub(super) const BINARY: &str = "application/octet-stream";

impl Registry {
    /// Returns whether the repository has the blob.
    ///
    /// # Errors
    /// Fails if the registry cannot be reached or refuses.
    pub async fn has_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        let attempted = format!("look for {} in {repository}", digest.short());
        let call = self.call(Method::HEAD, repository, &format!("blobs/{digest}"), attempted);
        let response = self.send_with_retries(&call).await?;
        match response.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            // A redirect to the blob's storage: the registry has checked that the blob exists.
            status if status.is_redirection() => Ok(true),
            _ => Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
    }

    /// Uploads the blob unless the repository has it. Returns the number of bytes sent; `None` if the blob
    /// existed.
    ///
    /// # Errors
    /// Fails like [`Registry::has_blob`] and [`Registry::upload_blob`].
    pub async fn ensure_blob(
        &self,
        repository: &Repository,
        blob: &Blob,
    ) -> Result<Option<u64>, RegistryError> {
        if self.has_blob(repository, &blob.digest).await? {
            return Ok(None);
        }
        self.upload_blob(repository, blob).await?;
        Ok(Some(blob.size()))
    }

    /// Uploads the blob in one request. A failed upload starts over, since its session may be gone.
    ///
    /// # Errors
    /// Fails if the registry rejects the blob or reports another digest for it.
    pub async fn upload_blob(
        &self,
        repository: &Repository,
        blob: &Blob,
    ) -> Result<(), RegistryError> {
        self.retry(blob.digest.as_str(), || self.upload_once(repository, blob)).await
    }

    async fn upload_once(&self, repository: &Repository, blob: &Blob) -> Result<(), RegistryError> {
        let attempted =
            format!("upload {} ({} bytes) to {repository}", blob.digest.short(), blob.bytes.len());
        let place = self.start_upload(repository, &attempted).await?;
        let content = Payload::Bytes(blob.bytes.clone());
        self.finish_upload(repository, &place, &blob.digest, content, attempted).await
    }

    /// Opens an upload session and returns its URL.
    pub(super) async fn start_upload(
        &self,
        repository: &Repository,
        attempted: &str,
    ) -> Result<String, RegistryError> {
        let begin = self.call(Method::POST, repository, "blobs/uploads/", attempted.to_owned());
        let response = self.send_with_logins(&begin).await?;
        if response.status() != StatusCode::ACCEPTED {
            return Err(RegistryError::refused(attempted, repository, &response));
        }
        self.upload_url(&response).ok_or_else(|| {
            self.protocol_error(&begin, "its response has no usable `Location` for the upload")
        })
    }

    /// Returns the URL in the response's `Location`.
    pub(super) fn upload_url(&self, response: &Response<Bytes>) -> Option<String> {
        self.endpoint.resolve(response.headers().get(LOCATION)?.to_str().ok()?)
    }

    /// Sends the remaining `content` and completes the upload; the registry verifies the digest of the whole.
    pub(super) async fn finish_upload(
        &self,
        repository: &Repository,
        place: &str,
        digest: &Digest,
        content: Payload,
        attempted: String,
    ) -> Result<(), RegistryError> {
        let separator = if place.contains('?') { '&' } else { '?' };
        let put = Call {
            repository,
            pull_scope: None,
            method: Method::PUT,
            url: format!("{place}{separator}digest={digest}"),
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static(BINARY))],
            body: content,
            attempted,
        };
        let response = self.send_with_logins(&put).await?;
        match response.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => {
                self.verify_digest(&put, &response, digest)
            }
            _ => Err(RegistryError::refused(&put.attempted, repository, &response)),
        }
    }
}
