//! ECR's state, apart from the images, and the events that change it.

use std::collections::BTreeMap;

use super::creation_template::CreationTemplate;
use super::quotas::Quotas;
use super::registry_scanning::{RegistrySettings, ScanType};
use super::repository_settings::RepositorySettings;
use super::signatures::SigningState;
use super::token::Token;

/// ECR's state, apart from the images.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The registry's address if it isn't ECR's own host name: that of the loopback transport, such as
    /// `http://127.0.0.1:4566`.
    pub endpoint: Option<String>,
    /// The account's quotas.
    pub quotas: Quotas,
    /// The account setting BLOB_MOUNTING: whether a push may mount a blob from another repository.
    pub blob_mounting: bool,
    /// The registry's authorization tokens by password.
    pub(super) tokens: BTreeMap<String, Token>,
    /// The repositories' settings by name; absent if nothing was set.
    pub(super) settings: BTreeMap<String, RepositorySettings>,
    pub(super) registry: RegistrySettings,
    pub(super) templates: BTreeMap<String, CreationTemplate>,
    pub(super) signing: SigningState,
}

impl State {
    /// Returns whether Amazon Inspector scans the registry's images.
    pub(crate) fn is_scanned_by_inspector(&self) -> bool {
        self.registry.scan_type() == ScanType::Enhanced
    }
}

/// A scheduled event of ECR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A repository's lifecycle policy is due to be applied.
    Lifecycle {
        /// The repository's name.
        repository: String,
        /// Which of its policies is due; one that was replaced is not applied.
        policy: u64,
    },
}
