//! Why GitHub did not do what was asked.

use http::StatusCode;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub enum GitHubError {
    /// The job's token does not permit it, or there is none. A private repository is not found by a
    /// token that may not see it (REST API, "Troubleshooting").
    #[error("{message} (HTTP {}); check that the job has `{permission}`", status.as_u16())]
    Denied {
        /// GitHub's words.
        message: String,
        /// 401, 403 or 404.
        status: StatusCode,
        /// What the job's `permissions` lack.
        permission: &'static str,
    },
    /// GitHub refused it for another reason.
    #[error("{message} (HTTP {})", status.as_u16())]
    Refused {
        /// GitHub's words.
        message: String,
        /// The answer's status.
        status: StatusCode,
    },
    /// Deployments of several environments could be the job's.
    #[error(
        "several deployments belong to this run: set the input `environment` to name the job's own"
    )]
    Ambiguous,
    /// No answer came, or none that can be read.
    #[error("{0}")]
    Unreachable(String),
}

impl GitHubError {
    /// `permission` is what the request needs.
    pub(super) fn of(error: &octocrab::Error, permission: &'static str) -> GitHubError {
        let octocrab::Error::GitHub { source, .. } = error else {
            return GitHubError::Unreachable(innermost(error));
        };
        let (message, status) = (source.message.clone(), source.status_code);
        let limited = message.contains("rate limit");
        match status {
            _ if limited => GitHubError::Refused { message, status },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                GitHubError::Denied { message, status, permission }
            }
            _ => GitHubError::Refused { message, status },
        }
    }

    /// Whether the same request may succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            GitHubError::Denied { .. } | GitHubError::Ambiguous => false,
            GitHubError::Refused { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            GitHubError::Unreachable(_) => true,
        }
    }
}

/// The cause of an error: octocrab's own words carry a backtrace.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
