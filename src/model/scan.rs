//! What a registry that looks for vulnerabilities found in an image, and how much of it is too much.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How bad a finding is: ECR's words (API model, FindingSeverity), from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nobody has said yet; Amazon Inspector calls it untriaged.
    Undefined,
    /// Worth knowing.
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
    /// The severity that ECR or Inspector calls so; an unknown word is [`Severity::Undefined`].
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

/// What must not be found, and how long to wait for the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ScanGate {
    /// A finding of this severity, or a worse one, refuses the image.
    pub fail_on: Severity,
    /// How long the scan may take.
    pub wait: Duration,
}

/// How far a scan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// There is none.
    Missing,
    /// It goes on.
    Running,
    /// It has ended, or goes on for ever and has been through once.
    Done(Findings),
    /// It will find nothing, because it failed or cannot read this image.
    Unable {
        /// ECR's word, such as `UNSUPPORTED_IMAGE`.
        status: String,
        /// Its explanation; may be empty.
        description: String,
    },
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many of each severity; absent where there are none.
    pub counts: BTreeMap<Severity, u64>,
    /// Some of their names, such as `CVE-2026-1234`, the worst first.
    pub names: Vec<(Severity, String)>,
}

/// How a repository of ECR's is to be made where it is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct NewRepository {
    /// Tags cannot be moved.
    pub immutable: bool,
    /// Images are scanned when they are pushed.
    pub scan_on_push: bool,
}
