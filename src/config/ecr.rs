//! `image.ecr`: how ECR repositories are created and images scanned.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::Located;
use super::resolve::checker::Checker;
use cutover_rollout::model::{RepositorySettings, ScanPolicy, Severity};

/// How long a scan may take by default.
const DEFAULT_SCAN_TIMEOUT: Duration = Duration::from_secs(5 * 60);

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

impl EcrSection {
    pub(super) fn resolve(&self, check: &mut Checker<'_>) -> Ecr {
        let is = |at: &Option<Located<bool>>| at.as_ref().is_some_and(|at| at.value);
        let orphans = [("immutable", &self.immutable), ("scan_on_push", &self.scan_on_push)];
        for (key, at) in orphans {
            if let Some(at) = at.as_ref().filter(|_| !is(&self.create)) {
                check.key(
                    key,
                    at.place,
                    format!("`{key}` applies to repositories that cutover creates, but `create` is not set"),
                    "add `create: true`, or remove this key: existing repositories keep their settings",
                );
            }
        }
        let scan = self.scan.as_ref().map(|scan| ScanPolicy {
            fail_on: match scan.value.fail_on.value {
                SeverityName::Informational => Severity::Informational,
                SeverityName::Low => Severity::Low,
                SeverityName::Medium => Severity::Medium,
                SeverityName::High => Severity::High,
                SeverityName::Critical => Severity::Critical,
            },
            wait: check.positive_duration(scan.value.wait.as_ref(), DEFAULT_SCAN_TIMEOUT),
        });
        let create = is(&self.create).then(|| RepositorySettings {
            immutable: is(&self.immutable),
            scan_on_push: self.scan_on_push.as_ref().map_or(scan.is_some(), |at| at.value),
        });
        Ecr { create, scan }
    }
}
