//! `image.ecr`: how ECR repositories are created and images scanned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::Located;
use cutover_rollout::model::{RepositorySettings, ScanPolicy};

/// How ECR repositories are created and images scanned.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EcrSection {
    /// Whether to create repositories that do not exist (default false).
    pub create: Option<Located<bool>>,
    /// Whether tags are immutable in a repository that cutover creates (default false).
    pub immutable: Option<Located<bool>>,
    /// Whether ECR scans images on push in a repository that cutover creates (default: true if `scan` is
    /// set, otherwise false).
    pub scan_on_push: Option<Located<bool>>,
    /// Refuses images in which ECR's scan finds vulnerabilities of a given severity.
    pub scan: Option<Located<ScanSection>>,
}

/// The condition on ECR's scan findings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScanSection {
    /// The lowest severity at which an image is refused.
    pub fail_on: Located<SeverityName>,
    /// How long to wait for the scan (default 5m).
    pub wait: Option<Located<String>>,
}

/// ECR's severities.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum SeverityName {
    /// Any rated finding.
    Informational,
    /// Low or worse.
    Low,
    /// Medium or worse.
    Medium,
    /// High or worse.
    High,
    /// Critical.
    Critical,
}

/// How ECR repositories are created and images scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Ecr {
    /// How missing repositories are created; `None` if they are not.
    pub create: Option<RepositorySettings>,
    /// The scan findings that refuse an image; `None` if scans are ignored.
    pub scan: Option<ScanPolicy>,
}
