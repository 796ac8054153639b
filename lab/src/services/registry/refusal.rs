//! How the distribution API says no.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use super::{Host, PushError};

/// An error of the OCI distribution specification.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(super) status: StatusCode,
    code: &'static str,
    message: String,
    /// The scope that a challenge is to name.
    pub(super) scope: Option<String>,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Refusal {
        Refusal { status, code, message: message.into(), scope: None }
    }

    /// 403.
    pub(crate) fn denied(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, "DENIED", message)
    }

    /// 401, which comes with a challenge that names `scope`.
    pub(crate) fn unauthorized(message: &str, scope: Option<String>) -> Refusal {
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message);
        Refusal { scope, ..refusal }
    }

    /// There is no such repository; `account` is ECR's.
    pub(super) fn unknown_name(host: Host, name: &str, account: &str) -> Refusal {
        let message = match host {
            Host::Ecr => format!(
                "The repository with name '{name}' does not exist in the registry with id '{account}'"
            ),
            Host::Ghcr => "repository name not known to registry".to_owned(),
        };
        Refusal::new(StatusCode::NOT_FOUND, "NAME_UNKNOWN", message)
    }

    pub(super) fn name() -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, "NAME_INVALID", "invalid repository name")
    }

    pub(super) fn unknown_blob() -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry")
    }

    pub(super) fn unknown_upload() -> Refusal {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "BLOB_UPLOAD_UNKNOWN",
            "blob upload unknown to registry",
        )
    }

    pub(super) fn unknown_manifest(host: Host) -> Refusal {
        let message = match host {
            Host::Ecr => "Requested image not found",
            Host::Ghcr => "manifest unknown",
        };
        Refusal::new(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", message)
    }

    pub(super) fn digest(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", message)
    }

    /// 405.
    pub(crate) fn unsupported() -> Refusal {
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported.")
    }

    /// 404, for what is no part of the API here.
    pub(super) fn no_such_page() -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "UNSUPPORTED", "The operation is unsupported.")
    }

    /// A refused manifest. ECR's words and its 405 are those that users quote; GHCR's are the
    /// specification's.
    pub(super) fn push(error: PushError, host: Host, account: &str) -> Refusal {
        let bad = |code, message: String| Refusal::new(StatusCode::BAD_REQUEST, code, message);
        match error {
            PushError::UnknownRepository(name) => Refusal::unknown_name(host, &name, account),
            PushError::Invalid(why) => match host {
                Host::Ecr => Refusal::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "UNSUPPORTED",
                    "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON \
                     syntax'",
                ),
                Host::Ghcr => bad("MANIFEST_INVALID", format!("manifest invalid: {why}")),
            },
            PushError::TooLarge(bytes) => Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "SIZE_INVALID",
                format!("the manifest has {bytes} bytes, more than 4 MiB"),
            ),
            PushError::InvalidTag(tag) => bad("TAG_INVALID", format!("{tag} is no tag")),
            PushError::MissingBlobs(digests) => match host {
                Host::Ecr => bad(
                    "MANIFEST_BLOB_UNKNOWN",
                    format!("Layers with digests '{}' do not exist", digests.join(", ")),
                ),
                Host::Ghcr => {
                    bad("MANIFEST_BLOB_UNKNOWN", format!("unknown blob: {}", digests.join(", ")))
                }
            },
            PushError::MissingManifests(digests) => bad(
                "MANIFEST_BLOB_UNKNOWN",
                format!(
                    "Images with digests '{}' required for pushing image do not exist",
                    digests.join(", ")
                ),
            ),
            PushError::TagTaken { repository, tag } => bad(
                "TAG_INVALID",
                format!(
                    "The image tag '{tag}' already exists in the '{repository}' repository and cannot be \
                     overwritten because the tag is immutable."
                ),
            ),
            PushError::Quota(what) => {
                Refusal::denied(format!("a service limit would have been exceeded: {what}"))
            }
        }
    }

    pub(crate) fn response(&self) -> Response<Bytes> {
        let errors =
            serde_json::json!({ "errors": [{ "code": self.code, "message": self.message }] });
        let mut response = Response::new(Bytes::from(errors.to_string()));
        *response.status_mut() = self.status;
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}
