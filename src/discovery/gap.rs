//! What could not be found out, and which permission was missing.

use std::fmt;

use crate::cloud::{Class, CloudError};

/// A read that AWS refused: what depends on it stays unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The IAM action, as in `elasticloadbalancing:DescribeRules`.
    pub action: String,
    /// What is not known without it, as in "which rules forward to the groups".
    pub what: String,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not known: `{}` is not allowed", self.what, self.action)
    }
}

/// Keeps what a read found, or notes that it was refused. Every other error stays one.
pub(super) fn unless_denied<T>(
    read: Result<T, CloudError>,
    what: &str,
    gaps: &mut Vec<Gap>,
) -> Result<Option<T>, CloudError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.class == Class::Denied => {
            let gap = Gap { action: error.operation.to_owned(), what: what.to_owned() };
            if !gaps.contains(&gap) {
                gaps.push(gap);
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
