//! A package as data.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// Who may read a package without being granted access.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Only those who were granted access; the default for a new package.
    #[default]
    Private,
    /// Everyone in the organization or enterprise.
    Internal,
    /// Everyone.
    Public,
}

impl Visibility {
    /// Returns its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Visibility::Private => "private",
            Visibility::Internal => "internal",
            Visibility::Public => "public",
        }
    }
}

/// A container package.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its id.
    pub id: u64,
    /// Who may read it.
    pub visibility: Visibility,
    /// The repositories whose workflows may write to it ("Manage Actions access").
    pub repositories: BTreeSet<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last pushed to.
    pub updated: Timestamp,
}

/// Returns the owner in a package's full name.
pub(crate) fn owner(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}
