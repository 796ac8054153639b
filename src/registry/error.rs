//! Why a registry did not do what it was asked.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::RETRY_AFTER;
use serde::Deserialize;

use crate::model::{ImageReference, Repository};
use crate::net::TransportError;

use super::hint;

/// What to do where a connection fails.
const NETWORK: &str =
    ". Check the network and the registry's name; nothing is lost by trying again";

/// A failure of one step; what was uploaded before it stays and is found by the next attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// No answer.
    #[error(
        "cannot {attempted}: {source}{}", if source.is_passing() { NETWORK } else { "" }
    )]
    Transport {
        /// What was attempted.
        attempted: String,
        /// What happened.
        source: TransportError,
    },
    /// An answer that says no.
    #[error("cannot {attempted}: the registry answered {}{message}. {hint}", status_and_code(*status, code.as_deref()))]
    Refused {
        /// What was attempted.
        attempted: String,
        /// HTTP status.
        status: u16,
        /// The distribution specification's code, such as `NAME_UNKNOWN`; `None` where none came.
        code: Option<String>,
        /// The registry's words, after `: `; empty where none came.
        message: String,
        /// What to do.
        hint: String,
        /// How long the registry asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// A tag that no registry takes.
    #[error(
        "`{0}` is not a tag: it takes letters, digits, `_`, `.` and `-`, at most 128 and no `.` or `-` at the beginning. Correct `image.tags` or `--tag`"
    )]
    Tag(String),
    /// What is to be tagged is not there.
    #[error("{0} is not in its registry, so no tag can name it. Was it removed? Push it again")]
    Gone(ImageReference),
    /// What was to be uploaded could not be read, or written to the spool.
    #[error(
        "the layer could not be made: {0}. Nothing names it yet; see to the cause and try again"
    )]
    Source(String),
    /// The login has ended, and there is no new one.
    #[error(
        "cannot {attempted}: {host} takes the login no longer, and a new one cannot be had: {why}"
    )]
    Login {
        /// What was attempted.
        attempted: String,
        /// The registry.
        host: String,
        /// What happened.
        why: String,
    },
    /// An answer that isn't the protocol's.
    #[error(
        "cannot {attempted}: {what}. Is this an OCI registry? `curl -i {url}/v2/` should answer 200 or 401"
    )]
    Protocol {
        /// What was attempted.
        attempted: String,
        /// What is wrong with the answer.
        what: String,
        /// The registry's base URL.
        url: String,
    },
    /// The registry has other bytes than were sent.
    #[error(
        "cannot {attempted}: the registry stored {stored}, and {sent} was sent. \
         Something between here and the registry changes content; don't deploy from it"
    )]
    Digest {
        /// What was attempted.
        attempted: String,
        /// What the registry says.
        stored: String,
        /// What it should have said.
        sent: String,
    },
}

impl RegistryError {
    /// What the answer means when it isn't what `attempted` hoped for.
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

    /// The same where we were nobody to the registry: what to do is to log in.
    pub(super) fn for_nobody(mut self, repository: &Repository) -> RegistryError {
        if let RegistryError::Refused { hint, .. } = &mut self {
            *hint = hint::logged_in_nowhere(repository);
        }
        self
    }

    /// Whether the same request may well succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            RegistryError::Transport { source, .. } => source.is_passing(),
            RegistryError::Refused { status, .. } => *status == 429 || *status >= 500,
            RegistryError::Tag(_)
            | RegistryError::Gone(_)
            | RegistryError::Source(_)
            | RegistryError::Login { .. }
            | RegistryError::Protocol { .. }
            | RegistryError::Digest { .. } => false,
        }
    }

    /// Whether there is no way to the registry: no connection, or no login that it takes.
    pub(super) fn is_of_the_way(&self) -> bool {
        matches!(
            self,
            RegistryError::Transport { .. }
                | RegistryError::Login { .. }
                | RegistryError::Refused { status: 401, .. }
        )
    }

    /// Whether the request itself was wrong, as the registry sees it.
    pub(super) fn is_about_the_request(&self) -> bool {
        matches!(self, RegistryError::Refused { status: 400 | 404 | 416, .. })
    }

    /// How long the registry asks to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            RegistryError::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// The specification's error document. Codes are kept as text: registries have codes of their own,
/// such as `TAG_INVALID`.
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
