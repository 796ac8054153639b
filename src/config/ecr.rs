//! `image.ecr`: what ECR is to do with what is pushed to it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::At;
use super::resolve::checker::Checker;
use crate::model::{NewRepository, ScanGate, Severity};

/// How long a scan may take where the file doesn't say.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// What ECR is to do with what is pushed to it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EcrSection {
    /// Create repositories that do not exist (default false).
    pub create: Option<At<bool>>,
    /// In a repository that is created, tags cannot be moved (default false).
    pub immutable: Option<At<bool>>,
    /// In a repository that is created, images are scanned when they are pushed (default: where there
    /// is a `scan`).
    pub scan_on_push: Option<At<bool>>,
    /// Refuse images in which ECR's scan finds too much.
    pub scan: Option<At<ScanSection>>,
}

/// What ECR's scan must not find.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScanSection {
    /// The least severity that refuses an image.
    pub fail_on: At<SeverityName>,
    /// How long the scan may take (default 5m).
    pub wait: Option<At<String>>,
}

/// ECR's severities.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum SeverityName {
    /// Any that has been rated.
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

/// What ECR is to do with what is pushed to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Ecr {
    /// How repositories are created that do not exist; `None`: they are not.
    pub create: Option<NewRepository>,
    /// What refuses an image; `None`: nothing.
    pub scan: Option<ScanGate>,
}

impl EcrSection {
    pub(super) fn resolve(&self, check: &mut Checker<'_>) -> Ecr {
        let is = |at: &Option<At<bool>>| at.as_ref().is_some_and(|at| at.value);
        let orphans = [("immutable", &self.immutable), ("scan_on_push", &self.scan_on_push)];
        for (key, at) in orphans {
            if let Some(at) = at.as_ref().filter(|_| !is(&self.create)) {
                check.key(
                    key,
                    at.place,
                    format!("`{key}` is about repositories that are created, and none is"),
                    "add `create: true`, or remove it: a repository that exists keeps its settings",
                );
            }
        }
        let scan = self.scan.as_ref().map(|scan| ScanGate {
            fail_on: match scan.value.fail_on.value {
                SeverityName::Informational => Severity::Informational,
                SeverityName::Low => Severity::Low,
                SeverityName::Medium => Severity::Medium,
                SeverityName::High => Severity::High,
                SeverityName::Critical => Severity::Critical,
            },
            wait: check.positive_duration(scan.value.wait.as_ref(), PATIENCE),
        });
        let create = is(&self.create).then(|| NewRepository {
            immutable: is(&self.immutable),
            scan_on_push: self.scan_on_push.as_ref().map_or(scan.is_some(), |at| at.value),
        });
        Ecr { create, scan }
    }
}
