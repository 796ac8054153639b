//! `image.attach`: what is put beside an image in its registries. Nothing is, unless it is asked for.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::At;
use super::resolve::checker::Checker;

/// What is put beside the image, as referrers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AttachSection {
    /// A bill of materials, SPDX or CycloneDX as JSON, from the folder of `cutover.yaml`.
    pub sbom: Option<At<String>>,
    /// Where the image came from, as the workflow's run tells it; not signed (default false).
    pub provenance: Option<bool>,
}

/// What is put beside the image.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Attach {
    /// A bill of materials, relative to [`super::Config::directory`], or absolute.
    pub sbom: Option<PathBuf>,
    /// Whether to say where it came from.
    pub provenance: bool,
}

impl Attach {
    /// Whether nothing is asked for.
    pub fn is_nothing(&self) -> bool {
        *self == Attach::default()
    }
}

impl AttachSection {
    pub(super) fn resolve(&self, check: &mut Checker<'_>) -> Attach {
        if let Some(sbom) = &self.sbom {
            check.filled(sbom, "a file's path");
        }
        Attach {
            sbom: self.sbom.as_ref().map(|at| PathBuf::from(&at.value)),
            provenance: self.provenance.unwrap_or_default(),
        }
    }
}
