//! Who pushes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// How to log in. They are shown to a registry only after it has asked for them.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody in particular.
    Anonymous,
    /// A user and a password or token; for ECR `AWS` and what GetAuthorizationToken gave.
    Basic {
        /// The user.
        user: String,
        /// The password; never printed.
        password: String,
    },
}

impl Credentials {
    /// The `Authorization` header's value; `None` where there is nothing to show.
    pub(super) fn basic(&self) -> Option<HeaderValue> {
        let Credentials::Basic { user, password } = self else { return None };
        secret(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }
}

/// A header value that `Debug` doesn't print.
pub(super) fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Anonymous => f.write_str("Anonymous"),
            Credentials::Basic { user, .. } => write!(f, "Basic({user}, redacted)"),
        }
    }
}
