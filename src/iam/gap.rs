//! What could not be determined about the account.

use serde::Serialize;

/// Something that could not be determined, so that the generated files lack it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// The IAM action of the read that was denied or found nothing: `iam:GetInstanceProfile`.
    pub action: String,
    /// What it would have determined, and what is missing as a result.
    pub what: String,
}

impl Gap {
    /// Makes a gap.
    pub fn new(action: impl Into<String>, what: impl Into<String>) -> Gap {
        Gap { action: action.into(), what: what.into() }
    }
}
