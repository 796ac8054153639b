//! What a repository calls its images.

use http::{Method, StatusCode};
use serde::Deserialize;

use crate::model::Repository;

use super::{Registry, RegistryError};

/// The distribution specification's list.
#[derive(Deserialize)]
struct List {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Registry {
    /// The first tags of the repository, as many as the registry gives at once; none where it doesn't
    /// exist.
    ///
    /// # Errors
    /// Where the registry doesn't answer, or doesn't say.
    pub async fn tags(&self, repository: &Repository) -> Result<Vec<String>, RegistryError> {
        let attempted = format!("list the tags of {repository}");
        let call = self.call(Method::GET, repository, "tags/list", attempted);
        let response = self.ask(&call).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Vec::new()),
            _ => return Err(RegistryError::refused(&call.attempted, repository, &response)),
        }
        let list: List = serde_json::from_slice(response.body())
            .map_err(|error| self.protocol(&call, error.to_string()))?;
        Ok(list.tags.unwrap_or_default())
    }
}
