//! Errors of GitHub requests.

use http::StatusCode;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub enum GitHubError {
    /// The job's token lacks a permission, or there is no token. For a token without access, a private
    /// repository is not found (REST API, "Troubleshooting").
    #[error("{message} (HTTP {}); check that the job has `{permission}`", status.as_u16())]
    Denied {
        /// GitHub's message.
        message: String,
        /// 401, 403 or 404.
        status: StatusCode,
        /// The permission that the job needs.
        permission: &'static str,
    },
    /// GitHub rejected the request for another reason.
    #[error("{message} (HTTP {})", status.as_u16())]
    Refused {
        /// GitHub's message.
        message: String,
        /// The HTTP status.
        status: StatusCode,
    },
    /// Deployments of several environments could belong to the job.
    #[error(
        "several deployments belong to this run: set the input `environment` to the job's environment"
    )]
    Ambiguous,
    /// There was no response, or none that can be parsed.
    #[error("{0}")]
    Unreachable(String),
}

impl GitHubError {
    /// Converts octocrab's error. `permission` is the permission that the request needs.
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

    /// Returns true if a retry may succeed.
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

/// Returns the message of the innermost cause. octocrab's own message contains a backtrace.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
