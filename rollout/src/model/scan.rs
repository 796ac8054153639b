//! Vulnerability scans of images, and the severity that refuses an image.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The severity of a finding in ECR's terms (API model, FindingSeverity), in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Not rated yet; Amazon Inspector calls it untriaged.
    Undefined,
    /// Informational.
    Informational,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// Parses the word of ECR or Inspector; an unknown word is [`Severity::Undefined`].
    pub fn read(text: &str) -> Severity {
        match text {
            "CRITICAL" => Severity::Critical,
            "HIGH" => Severity::High,
            "MEDIUM" => Severity::Medium,
            "LOW" => Severity::Low,
            "INFORMATIONAL" => Severity::Informational,
            _ => Severity::Undefined,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Undefined => "undefined",
            Severity::Informational => "informational",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        })
    }
}

/// The condition on scan findings that an image must meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ScanPolicy {
    /// An image with a finding of this severity or worse is refused.
    pub fail_on: Severity,
    /// How long to wait for the scan.
    pub wait: Duration,
}

/// The state of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanState {
    /// There is no scan.
    Missing,
    /// The scan is running.
    Running,
    /// The scan is complete; a continuous scan is complete once it has scanned the image.
    Done(Findings),
    /// The scan failed, or ECR cannot scan this image.
    Unable {
        /// ECR's status, such as `UNSUPPORTED_IMAGE`.
        status: String,
        /// ECR's description; may be empty.
        description: String,
    },
}

/// The findings of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The number of findings by severity, without zeros.
    pub counts: BTreeMap<Severity, u64>,
    /// Names of some of them, such as `CVE-2026-1234`, the most severe first.
    pub names: Vec<(Severity, String)>,
}

/// The settings for an ECR repository that cutover creates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RepositorySettings {
    /// Whether tags are immutable.
    pub immutable: bool,
    /// Whether ECR scans images on push.
    pub scan_on_push: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_read_as_ecr_writes_them_and_ascend() {
        let words = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNTRIAGED"];
        let read = words.map(Severity::read);
        assert!(read.is_sorted_by(|worse, better| worse > better), "{read:?}");
        assert_eq!(
            read.map(|severity| severity.to_string()),
            ["critical", "high", "medium", "low", "informational", "undefined"]
        );
    }
}
