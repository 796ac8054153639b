//! A scan of an image, as data.

use jiff::Timestamp;

use super::super::registry_scanning::ScanType;
use super::findings::Findings;

/// A scan of one image.
#[derive(Debug, Clone)]
pub(in crate::services::ecr) struct Scan {
    pub(super) started: Timestamp,
    pub(super) kind: ScanType,
    /// Whether the scan continues for as long as the image exists.
    pub(super) continuous: bool,
    pub(super) findings: Findings,
    /// The final status, if it isn't the usual one.
    pub(super) final_status: Option<String>,
}
