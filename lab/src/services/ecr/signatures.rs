//! The signing rules of the registry and their results, as data.

use std::collections::BTreeMap;

/// The registry's signing configuration, and the signing statuses of its images.
#[derive(Debug, Clone, Default)]
pub(super) struct SigningState {
    pub(super) rules: Option<Vec<SigningRule>>,
    /// By repository and digest.
    pub(super) statuses: BTreeMap<(String, String), Vec<SigningStatus>>,
}

/// A signing profile with the repositories whose images it signs; without filters, all.
#[derive(Debug, Clone)]
pub(super) struct SigningRule {
    pub(super) profile: String,
    pub(super) filters: Vec<String>,
}

/// The result of signing an image with one profile.
#[derive(Debug, Clone)]
pub(super) struct SigningStatus {
    pub(super) profile: String,
    /// Why signing failed, if it did.
    pub(super) failure: Option<String>,
}
