//! What could not be determined about the account.

use std::fmt;

use serde::Serialize;

/// Something that could not be determined, so that the generated files lack it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// The IAM action of the read that was denied or found nothing: `iam:GetInstanceProfile`.
    pub action: String,
    /// What a denied read would have determined, or what it found missing; and what is lacking as a result.
    pub what: String,
    /// Whether the read was denied; otherwise it found that something does not exist.
    pub denied: bool,
}

impl Gap {
    /// Returns the gap of a denied read, which would have determined `what`.
    pub fn denied(action: impl Into<String>, what: impl Into<String>) -> Gap {
        Gap { action: action.into(), what: what.into(), denied: true }
    }

    /// Returns the gap of something that does not exist, as `what` says.
    pub fn missing(action: impl Into<String>, what: impl Into<String>) -> Gap {
        Gap { action: action.into(), what: what.into(), denied: false }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Gap { action, what, denied } = self;
        match denied {
            true => write!(f, "cannot determine {what}: `{action}` is not allowed"),
            false => write!(f, "{what}"),
        }
    }
}
