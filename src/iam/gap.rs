//! What could not be read of the account.

use serde::Serialize;

/// Something that could not be read, so that what was made of the account lacks it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// The read that was refused or found nothing, as IAM writes it: `iam:GetInstanceProfile`.
    pub action: String,
    /// What is unknown without it, and what is missing therefore.
    pub what: String,
}

impl Gap {
    /// The gap that `action` leaves.
    pub fn new(action: impl Into<String>, what: impl Into<String>) -> Gap {
        Gap { action: action.into(), what: what.into() }
    }
}
