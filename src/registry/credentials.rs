//! Who pushes.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
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

/// A way to credentials that are new, for when a registry no longer takes the last ones: those of ECR
/// end after twelve hours. The error is for people.
#[derive(Clone)]
pub struct Renewal(Arc<dyn Fn() -> BoxFuture<'static, Result<Credentials, String>> + Send + Sync>);

impl Renewal {
    /// What `ask` gives each time.
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
