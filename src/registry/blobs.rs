//! Blobs: is it there, and put it there.

use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, StatusCode};

use crate::model::{Digest, Repository};

use super::client::{Call, Registry};
use super::{Blob, RegistryError};

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
            _ => Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
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
        let begin = self.call(Method::POST, repository, "blobs/uploads/", attempted.clone());
        let response = self.ask_once(&begin).await?;
        if response.status() != StatusCode::ACCEPTED {
            return Err(RegistryError::refused(&attempted, repository, &response));
        }
        let place = response
            .headers()
            .get(LOCATION)
            .and_then(|location| self.endpoint.resolve(location.to_str().ok()?))
            .ok_or_else(|| self.protocol(&begin, "it names no usable Location for the upload"))?;
        let separator = if place.contains('?') { '&' } else { '?' };
        let put = Call {
            repository,
            method: Method::PUT,
            url: format!("{place}{separator}digest={}", blob.digest),
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))],
            body: blob.bytes.clone(),
            attempted,
        };
        let response = self.ask_once(&put).await?;
        match response.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => {
                self.same_digest(&put, &response, &blob.digest)
            }
            _ => Err(RegistryError::refused(&put.attempted, repository, &response)),
        }
    }
}
