//! The members of an image's configuration that are used here, OCI's or Docker's.

use serde::Deserialize;

use cutover_rollout::model::Digest;

/// A configuration, as far as it is used here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Configuration {
    /// When the image was created, as its builder wrote it.
    pub created: Option<String>,
    rootfs: RootFs,
    #[serde(default)]
    config: Option<Run>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Run {
    #[serde(rename = "OnBuild", default)]
    on_build: Option<Vec<String>>,
}

impl Configuration {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Fails if the document is not a configuration.
    pub fn read(document: &[u8]) -> Result<Configuration, serde_json::Error> {
        serde_json::from_slice(document)
    }

    /// Returns the DiffIDs of the layers, from the bottom up.
    pub fn diff_ids(&self) -> &[Digest] {
        &self.rootfs.diff_ids
    }

    /// Returns the first ONBUILD instruction.
    pub(super) fn on_build(&self) -> Option<&String> {
        self.config.as_ref()?.on_build.as_ref()?.first()
    }
}
