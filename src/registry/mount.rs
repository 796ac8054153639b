//! A blob from one repository to another of the same registry, without its bytes travelling.

use http::{Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::{Digest, Repository};

use super::RegistryError;
use super::client::Registry;

/// What came of a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mount {
    /// The blob is there.
    Granted,
    /// It isn't. Where the registry gave one, this is a place to upload to.
    NotGranted(Option<String>),
}

impl Registry {
    /// Asks that `repository` have the blob that `from`, of the same registry, has. A registry that
    /// does not mount says so by beginning an upload (distribution specification), and one that
    /// doesn't know the blob, or us, by any refusal: the caller then brings the bytes, and what is
    /// really wrong will be told there.
    ///
    /// # Errors
    /// Where the registry doesn't answer, or has mounted something else.
    pub(super) async fn mount_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        from: &Repository,
    ) -> Result<Mount, RegistryError> {
        let attempted = format!("mount {} of {from} in {repository}", digest.short());
        let from = utf8_percent_encode(from.path(), NON_ALPHANUMERIC);
        let path = format!("blobs/uploads/?mount={digest}&from={from}");
        let call = self.call(Method::POST, repository, &path, attempted);
        let response = match self.ask(&call).await {
            Ok(response) => response,
            Err(RegistryError::Refused { status, .. }) if status < 500 => {
                return Ok(Mount::NotGranted(None));
            }
            Err(error) => return Err(error),
        };
        Ok(match response.status() {
            StatusCode::CREATED => {
                self.same_digest(&call, &response, digest)?;
                Mount::Granted
            }
            StatusCode::ACCEPTED => Mount::NotGranted(self.place(&response)),
            _ => Mount::NotGranted(None),
        })
    }
}
