//! `image.attach`: referrers to push for an image. By default there are none.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::Located;

/// Referrers to attach to the image in each registry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AttachSection {
    /// Path of an SBOM file (SPDX or CycloneDX, as JSON), relative to the directory of `cutover.yaml`.
    pub sbom: Option<Located<String>>,
    /// Whether to attach SLSA provenance that describes the workflow run. It is not signed (default false).
    pub provenance: Option<bool>,
}

/// The referrers to attach to the image.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Attach {
    /// The SBOM file: relative to [`super::Config::directory`], or absolute.
    pub sbom: Option<PathBuf>,
    /// Whether to attach provenance.
    pub provenance: bool,
}

impl Attach {
    /// Returns true if nothing is to be attached.
    pub fn is_nothing(&self) -> bool {
        *self == Attach::default()
    }
}
