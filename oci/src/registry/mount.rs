//! Mounts a blob from another repository of the same registry, without sending it.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use cutover_rollout::model::{Digest, Repository};

use super::RegistryError;
use super::client::{Call, Payload, Registry};

impl Registry {
    /// Mounts the blob that `from` has. Returns false if the registry does not, whatever the reason: mounting
    /// is off (as in ECR unless an account setting turns it on), the source may not be read, or the blob is
    /// gone. The blob then has to be uploaded.
    ///
    /// # Errors
    /// Fails if the registry reports that it has mounted other content.
    pub async fn mount(
        &self,
        repository: &Repository,
        digest: &Digest,
        from: &Repository,
    ) -> Result<bool, RegistryError> {
        if from.registry() != repository.registry() || from.path() == repository.path() {
            return Ok(false);
        }
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let path = format!(
            "blobs/uploads/?mount={}&from={}",
            encoded(digest.as_str()),
            encoded(from.path())
        );
        let attempted = format!("mount {} from {from} in {repository}", digest.short());
        let mut call = self.call(Method::POST, repository, &path, attempted);
        call.pull_scope = Some(from);
        let response = match self.send_with_retries(&call).await {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!(%error, "not mounted");
                return Ok(false);
            }
        };
        match response.status() {
            StatusCode::CREATED => self.verify_digest(&call, &response, digest).map(|()| true),
            StatusCode::ACCEPTED => {
                self.abandon(repository, &response).await;
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// Cancels the upload that the registry has started instead of mounting. Failures don't matter: an upload
    /// that stays expires by itself.
    async fn abandon(&self, repository: &Repository, begun: &Response<Bytes>) {
        let Some(url) = self.upload_url(begun) else { return };
        let call = Call {
            repository,
            pull_scope: None,
            method: Method::DELETE,
            url,
            headers: Vec::new(),
            body: Payload::nothing(),
            attempted: format!("cancel an upload to {repository}"),
        };
        let _ = self.send_with_logins(&call).await;
    }
}
