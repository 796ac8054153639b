//! The tags of a repository.

use http::{Method, StatusCode};
use serde::Deserialize;

use cutover_rollout::model::Repository;

use super::{Registry, RegistryError};

/// The distribution specification's list of tags.
#[derive(Deserialize)]
struct List {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Registry {
    /// Returns the repository's first tags, as many as the registry returns at once; none if the repository
    /// does not exist.
    ///
    /// # Errors
    /// Fails if the registry cannot be reached or refuses.
    pub async fn tags(&self, repository: &Repository) -> Result<Vec<String>, RegistryError> {
        let attempted = format!("list the tags of {repository}");
        let call = self.call(Method::GET, repository, "tags/list", attempted);
        let response = self.send_with_retries(&call).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Vec::new()),
            _ => return Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
        let list: List = serde_json::from_slice(response.body())
            .map_err(|error| self.protocol_error(&call, error.to_string()))?;
        Ok(list.tags.unwrap_or_default())
    }
}
