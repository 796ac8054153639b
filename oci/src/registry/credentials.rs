//! Credentials for registries.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use http::HeaderValue;

/// How to log in. Credentials are sent to a registry only after it has asked for them.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// No credentials.
    Anonymous,
    /// A user and a password or token; for ECR, `AWS` and the token from GetAuthorizationToken.
    Basic {
        /// User name.
        user: String,
        /// Password or token; never printed.
        password: String,
    },
}

impl Credentials {
    /// Returns the value of the `Authorization` header; `None` for anonymous access.
    pub(super) fn basic(&self) -> Option<HeaderValue> {
        let Credentials::Basic { user, password } = self else { return None };
        secret(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }
}

/// Returns a header value that `Debug` does not print.
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

/// Gets new credentials when a registry no longer accepts the current ones: ECR's expire after twelve hours.
/// Its errors are messages for users.
#[derive(Clone)]
pub struct Renewal(Arc<dyn Fn() -> BoxFuture<'static, Result<Credentials, String>> + Send + Sync>);

impl Renewal {
    /// Creates a renewal that calls `ask` each time.
    pub fn new<F, Fut>(ask: F) -> Renewal
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Credentials, String>> + Send + 'static,
    {
        Renewal(Arc::new(move || Box::pin(ask())))
    }

    pub(super) fn ask(&self) -> BoxFuture<'static, Result<Credentials, String>> {
        (self.0)()
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renewal")
    }
}
