//! A creation template as data.

use jiff::Timestamp;

use super::repository_settings::Encryption;
use crate::services::registry::mutability::TagMutability;

/// A creation template. The prefix of the names that it applies to is its key in `State::templates`.
#[derive(Debug, Clone)]
pub(super) struct CreationTemplate {
    pub(super) description: Option<String>,
    pub(super) encryption: Encryption,
    pub(super) tags: std::collections::BTreeMap<String, String>,
    pub(super) mutability: TagMutability,
    pub(super) policy: Option<String>,
    pub(super) lifecycle: Option<String>,
    pub(super) applied_for: Vec<String>,
    pub(super) role: Option<String>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}
