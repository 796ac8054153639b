//! A blob of another repository of the same registry, taken over without sending it.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::{Digest, Repository};

use super::RegistryError;
use super::client::{Call, Payload, Registry};

impl Registry {
    /// Asks for the blob that `from` has. `false` where the registry doesn't grant it, whatever the
    /// reason: mounting may be switched off (as in ECR unless an account setting says otherwise), we
    /// may not read there, or the blob is gone. It is then to be uploaded.
    ///
    /// # Errors
    /// Where the registry doesn't answer, or says that it has taken over other content.
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
        let attempted = format!("take {} over from {from} to {repository}", digest.short());
        let mut call = self.call(Method::POST, repository, &path, attempted);
        call.also = Some(from);
        let response = match self.ask(&call).await {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!(%error, "not mounted");
                return Ok(false);
            }
        };
        match response.status() {
            StatusCode::CREATED => self.same_digest(&call, &response, digest).map(|()| true),
            StatusCode::ACCEPTED => {
                self.abandon(repository, &response).await;
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// Gives up the upload that the registry has begun in the mount's place. One that stays ends by
    /// itself, so it doesn't matter whether that succeeds.
    async fn abandon(&self, repository: &Repository, begun: &Response<Bytes>) {
        let Some(url) = self.place(begun) else { return };
        let call = Call {
            repository,
            also: None,
            method: Method::DELETE,
            url,
            headers: Vec::new(),
            body: Payload::nothing(),
            attempted: format!("give up an upload to {repository}"),
        };
        let _ = self.ask_once(&call).await;
    }
}
