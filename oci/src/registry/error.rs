//! Errors of registries.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::RETRY_AFTER;
use serde::Deserialize;

use cutover_net::TransportError;
use cutover_rollout::model::{Failure, ImageReference, Repository};

use super::document::DocumentError;
use super::hint;

/// The hint for a failed connection.
const NETWORK: &str = ". Check the network and the registry's name, and run it again";

/// A failed operation. What was uploaded before it stays, and the next attempt finds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// No response.
    #[error(
        "cannot {attempted}: {source}{}", if source.is_transient() { NETWORK } else { "" }
    )]
    Transport {
        /// What was attempted.
        attempted: String,
        /// The cause.
        source: TransportError,
    },
    /// The registry refuses or fails.
    #[error("cannot {attempted}: the registry answered {}{message}. {hint}", status_and_code(*status, code.as_deref()))]
    Refused {
        /// What was attempted.
        attempted: String,
        /// HTTP status.
        status: u16,
        /// The distribution specification's error code, such as `NAME_UNKNOWN`; `None` if the response has
        /// none.
        code: Option<String>,
        /// The registry's message after `: `; empty if the response has none.
        message: String,
        /// The hint.
        hint: String,
        /// The registry's `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// An invalid tag.
    #[error(
        "`{0}` is not a valid tag: a tag has at most 128 letters, digits, `_`, `.` and `-`, and does not start with `.` or `-`. Correct `image.tags` or `--tag`"
    )]
    Tag(String),
    /// The image does not exist.
    #[error("{0} is not in its registry; it may have been deleted. Push it again")]
    ImageMissing(ImageReference),
    /// The content to upload could not be read, or not be written to the spool.
    #[error(
        "the layer could not be prepared: {0}. No image refers to it yet; fix the cause and run it again"
    )]
    Content(String),
    /// A manifest or index could not be written.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The login has expired and cannot be renewed.
    #[error(
        "cannot {attempted}: {host} no longer accepts the login, and it cannot be renewed: {why}"
    )]
    Login {
        /// What was attempted.
        attempted: String,
        /// The registry.
        host: String,
        /// The cause.
        why: String,
    },
    /// The response violates the protocol.
    #[error(
        "cannot {attempted}: {what}. Is this an OCI registry? `curl -i {url}/v2/` should answer 200 or 401"
    )]
    Protocol {
        /// What was attempted.
        attempted: String,
        /// What is wrong with the response.
        what: String,
        /// The registry's base URL.
        url: String,
    },
    /// The content has another digest than expected.
    #[error(
        "cannot {attempted}: the content's digest is {stored} instead of {sent}. \
         Something between this machine and the registry changes content; do not deploy from it"
    )]
    Digest {
        /// What was attempted.
        attempted: String,
        /// The digest that was received or that the registry reports.
        stored: String,
        /// The expected digest.
        sent: String,
    },
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Failure {
        Failure::failed(error.to_string())
    }
}

impl RegistryError {
    /// Returns the error for a response that `attempted` does not expect: the registry's message, and a hint.
    pub(super) fn refused(
        attempted: &str,
        repository: &Repository,
        response: &Response<Bytes>,
    ) -> RegistryError {
        let status = response.status().as_u16();
        let first = serde_json::from_slice::<Errors>(response.body())
            .ok()
            .and_then(|errors| errors.errors.into_iter().next())
            .unwrap_or_default();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let words = first.message.trim().trim_end_matches('.');
        RegistryError::Refused {
            attempted: attempted.to_owned(),
            status,
            hint: hint::what_to_do(status, first.code.as_deref(), words, repository),
            message: if words.is_empty() { String::new() } else { format!(": {words}") },
            code: first.code,
            retry_after,
        }
    }

    /// Replaces the hint of an anonymous request: log in.
    pub(super) fn with_login_hint(mut self, repository: &Repository) -> RegistryError {
        if let RegistryError::Refused { hint, .. } = &mut self {
            *hint = hint::login_hint(repository);
        }
        self
    }

    /// Returns whether the same request may succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            RegistryError::Transport { source, .. } => source.is_transient(),
            RegistryError::Refused { status, .. } => *status == 429 || *status >= 500,
            RegistryError::Tag(_)
            | RegistryError::ImageMissing(_)
            | RegistryError::Document(_)
            | RegistryError::Content(_)
            | RegistryError::Login { .. }
            | RegistryError::Protocol { .. }
            | RegistryError::Digest { .. } => false,
        }
    }

    /// Returns whether the registry cannot be reached or refuses the login.
    pub(super) fn is_access_error(&self) -> bool {
        matches!(
            self,
            RegistryError::Transport { .. }
                | RegistryError::Login { .. }
                | RegistryError::Refused { status: 401, .. }
        )
    }

    /// Returns whether the registry considers the request itself invalid.
    pub(super) fn is_invalid_request(&self) -> bool {
        matches!(self, RegistryError::Refused { status: 400 | 404 | 416, .. })
    }

    /// Returns the registry's `Retry-After`.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            RegistryError::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// The specification's error document. Codes are kept as text: registries have their own, such as
/// `TAG_INVALID`.
#[derive(Deserialize)]
struct Errors {
    errors: Vec<ErrorInfo>,
}

#[derive(Deserialize, Default)]
struct ErrorInfo {
    code: Option<String>,
    #[serde(default)]
    message: String,
}

fn status_and_code(status: u16, code: Option<&str>) -> String {
    match code {
        Some(code) => format!("{status} {code}"),
        None => status.to_string(),
    }
}
