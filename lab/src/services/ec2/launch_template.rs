//! A launch template as data.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::wire::{ApiError, ApiResult, Value};

/// One launch template.
#[derive(Debug, Clone, PartialEq)]
pub struct LaunchTemplate {
    /// `lt-…`.
    pub id: String,
    /// Its name, unique in the account.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// The ARN of its creator.
    pub created_by: String,
    /// The version that `$Default` refers to.
    pub default: u64,
    /// The highest version number assigned so far. Numbers of deleted versions are not reused.
    pub last_number: u64,
    /// Its versions by number.
    pub versions: BTreeMap<u64, TemplateVersion>,
}

/// One version of a launch template.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateVersion {
    /// Up to 255 characters.
    pub description: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// The ARN of its creator.
    pub created_by: String,
    /// Its launch template data, in the form of `ResponseLaunchTemplateData`.
    pub data: Value,
}

impl LaunchTemplate {
    /// Resolves a version in a request to its number: digits, `$Latest` or `$Default`; none means the default
    /// (API model).
    pub fn resolve_version(&self, version: Option<&str>) -> ApiResult<u64> {
        match version {
            None | Some("" | "$Default") => Ok(self.default),
            Some("$Latest") => Ok(self.newest()),
            Some(text) => {
                let number = text.parse::<u64>().map_err(|_| {
                    ApiError::sender(
                        "InvalidLaunchTemplateId.VersionMalformed",
                        format!("Launch template version {text} is not a number."),
                    )
                })?;
                if self.versions.contains_key(&number) {
                    return Ok(number);
                }
                Err(ApiError::sender(
                    "InvalidLaunchTemplateId.VersionNotFound",
                    format!(
                        "Could not find the specified version {number} for the launch template with ID {}.",
                        self.id
                    ),
                ))
            }
        }
    }

    /// Returns the highest existing version number.
    pub(super) fn newest(&self) -> u64 {
        self.versions.keys().next_back().copied().unwrap_or(self.last_number)
    }
}
