//! The settings of a repository, as data.

use std::collections::BTreeMap;

use super::lifecycle::repository_lifecycle::RepositoryLifecycle;
use super::scans::scan::Scan;

/// A repository's settings, and the scans of its images.
#[derive(Debug, Clone, Default)]
pub(super) struct RepositorySettings {
    /// The repository's resource tags, which are unrelated to its images' tags.
    pub(super) tags: BTreeMap<String, String>,
    /// The repository policy, as text.
    pub(super) policy: Option<String>,
    /// Whether images are scanned when they are pushed.
    pub(super) scan_on_push: bool,
    pub(super) encryption: Encryption,
    pub(super) lifecycle: RepositoryLifecycle,
    /// The last scan of each image by its digest.
    pub(super) scans: BTreeMap<String, Scan>,
}

/// How the images are encrypted: only stored, since the lab encrypts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encryption {
    pub(super) kind: String,
    pub(super) key: Option<String>,
}

impl Default for Encryption {
    fn default() -> Encryption {
        Encryption { kind: "AES256".to_owned(), key: None }
    }
}
