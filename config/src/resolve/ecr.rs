//! `image.ecr`: new repositories and the scan gate.

use std::time::Duration;

use super::checker::Checker;
use crate::at::Located;
use crate::ecr::{Ecr, EcrSection, SeverityName};
use cutover_rollout::model::{RepositorySettings, ScanPolicy, Severity};

/// How long a scan may take by default.
const DEFAULT_SCAN_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Checks the section and fills in its defaults.
pub(super) fn resolve(section: &EcrSection, check: &mut Checker<'_>) -> Ecr {
    let is = |at: &Option<Located<bool>>| at.as_ref().is_some_and(|at| at.value);
    let orphans = [("immutable", &section.immutable), ("scan_on_push", &section.scan_on_push)];
    for (key, at) in orphans {
        if let Some(at) = at.as_ref().filter(|_| !is(&section.create)) {
            check.key(
                key,
                at.place,
                format!(
                    "`{key}` applies to repositories that cutover creates, but `create` is not set"
                ),
                "add `create: true`, or remove this key: existing repositories keep their settings",
            );
        }
    }
    let scan = section.scan.as_ref().map(|scan| ScanPolicy {
        fail_on: match scan.value.fail_on.value {
            SeverityName::Informational => Severity::Informational,
            SeverityName::Low => Severity::Low,
            SeverityName::Medium => Severity::Medium,
            SeverityName::High => Severity::High,
            SeverityName::Critical => Severity::Critical,
        },
        wait: check.positive_duration(scan.value.wait.as_ref(), DEFAULT_SCAN_TIMEOUT),
    });
    let create = is(&section.create).then(|| RepositorySettings {
        immutable: is(&section.immutable),
        scan_on_push: section.scan_on_push.as_ref().map_or(scan.is_some(), |at| at.value),
    });
    Ecr { create, scan }
}
