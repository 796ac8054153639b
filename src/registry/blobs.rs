//! Blobs: is it there, and put it there.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, Response, StatusCode};

use crate::model::{Digest, Repository};

use super::client::{Call, Payload, Registry};
use super::{Blob, RegistryError};

/// Blobs have no type of their own on their way.
pub(super) const BINARY: &str = "application/octet-stream";

impl Registry {
    /// Whether the repository has the blob.
    ///
    /// # Errors
    /// Where the registry doesn't answer, or doesn't say.
    pub async fn has_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        let attempted = format!("look for {} in {repository}", digest.short());
        let call = self.call(Method::HEAD, repository, &format!("blobs/{digest}"), attempted);
        let response = self.ask(&call).await?;
        match response.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            // To where it keeps the blob: it has looked before it says so.
            status if status.is_redirection() => Ok(true),
            _ => Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
    }

    /// Uploads the blob unless the repository has it; gives the bytes that were sent, `None` where it was
    /// there.
    ///
    /// # Errors
    /// As [`Registry::has_blob`] and [`Registry::upload_blob`].
    pub async fn bring_blob(
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

    /// Uploads the blob in one piece. A failed upload is begun anew, since its place may be gone.
    ///
    /// # Errors
    /// Where the registry doesn't take it, or has other bytes afterwards.
    pub async fn upload_blob(
        &self,
        repository: &Repository,
        blob: &Blob,
    ) -> Result<(), RegistryError> {
        self.repeated(blob.digest.as_str(), || self.upload_once(repository, blob)).await
    }

    async fn upload_once(&self, repository: &Repository, blob: &Blob) -> Result<(), RegistryError> {
        let attempted =
            format!("upload {} ({} bytes) to {repository}", blob.digest.short(), blob.bytes.len());
        let place = self.begin_upload(repository, &attempted).await?;
        let content = Payload::Bytes(blob.bytes.clone());
        self.end_upload(repository, &place, &blob.digest, content, attempted).await
    }

    /// Asks for a place to upload to.
    pub(super) async fn begin_upload(
        &self,
        repository: &Repository,
        attempted: &str,
    ) -> Result<String, RegistryError> {
        let begin = self.call(Method::POST, repository, "blobs/uploads/", attempted.to_owned());
        let response = self.ask_once(&begin).await?;
        if response.status() != StatusCode::ACCEPTED {
            return Err(RegistryError::refused(attempted, repository, &response));
        }
        self.place(&response)
            .ok_or_else(|| self.protocol(&begin, "it names no usable Location for the upload"))
    }

    /// The place that an answer names.
    pub(super) fn place(&self, response: &Response<Bytes>) -> Option<String> {
        self.endpoint.resolve(response.headers().get(LOCATION)?.to_str().ok()?)
    }

    /// Sends `content`, the last of the upload, and has the registry check all of it.
    pub(super) async fn end_upload(
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
            also: None,
            method: Method::PUT,
            url: format!("{place}{separator}digest={digest}"),
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static(BINARY))],
            body: content,
            attempted,
        };
        let response = self.ask_once(&put).await?;
        match response.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => {
                self.same_digest(&put, &response, digest)
            }
            _ => Err(RegistryError::refused(&put.attempted, repository, &response)),
        }
    }
}
