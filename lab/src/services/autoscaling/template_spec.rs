//! The launch template of a group, as data.

use crate::wire::Value;

/// A version as saved: a number, or a name that is resolved when an instance launches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One fixed version.
    Number(u64),
    /// The newest version at launch.
    Latest,
    /// The template's default version at launch.
    Default,
}

impl Version {
    pub(super) fn read(text: Option<&str>) -> Option<Version> {
        match text {
            // The API's default for an omitted version.
            None | Some("$Default") => Some(Version::Default),
            Some("$Latest") => Some(Version::Latest),
            Some(number) => number.parse().ok().map(Version::Number),
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Version::Number(number) => write!(f, "{number}"),
            Version::Latest => f.write_str("$Latest"),
            Version::Default => f.write_str("$Default"),
        }
    }
}

/// A launch template and a version.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateSpec {
    /// `lt-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version, as saved.
    pub version: Version,
    /// The `MixedInstancesPolicy` that contains it, as given, if there is one.
    pub policy: Option<Value>,
}
