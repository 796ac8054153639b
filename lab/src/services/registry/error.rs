//! The errors of the distribution API.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use super::kind::RegistryKind;
use super::push_error::PushError;

/// An error of the OCI distribution specification.
#[derive(Debug)]
pub(crate) struct OciError {
    pub(crate) status: StatusCode,
    code: &'static str,
    message: String,
    /// The scope that the challenge of a 401 names.
    pub(crate) scope: Option<String>,
}

impl OciError {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> OciError {
        OciError { status, code, message: message.into(), scope: None }
    }

    /// Returns a 403.
    pub(crate) fn denied(message: impl Into<String>) -> OciError {
        OciError::new(StatusCode::FORBIDDEN, "DENIED", message)
    }

    /// Returns a 401, whose challenge names `scope`.
    pub(crate) fn unauthorized(message: &str, scope: Option<String>) -> OciError {
        let refusal = OciError::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message);
        OciError { scope, ..refusal }
    }

    /// Returns a 404 for a repository that doesn't exist; `account` is ECR's registry ID.
    pub(crate) fn unknown_name(host: RegistryKind, name: &str, account: &str) -> OciError {
        let message = match host {
            RegistryKind::Ecr => format!(
                "The repository with name '{name}' does not exist in the registry with id '{account}'"
            ),
            RegistryKind::Ghcr => "repository name not known to registry".to_owned(),
        };
        OciError::new(StatusCode::NOT_FOUND, "NAME_UNKNOWN", message)
    }

    pub(crate) fn name() -> OciError {
        OciError::new(StatusCode::BAD_REQUEST, "NAME_INVALID", "invalid repository name")
    }

    pub(crate) fn unknown_blob() -> OciError {
        OciError::new(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry")
    }

    pub(crate) fn unknown_upload() -> OciError {
        OciError::new(
            StatusCode::NOT_FOUND,
            "BLOB_UPLOAD_UNKNOWN",
            "blob upload unknown to registry",
        )
    }

    pub(crate) fn unknown_manifest(host: RegistryKind) -> OciError {
        let message = match host {
            RegistryKind::Ecr => "Requested image not found",
            RegistryKind::Ghcr => "manifest unknown",
        };
        OciError::new(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", message)
    }

    pub(crate) fn digest(message: impl Into<String>) -> OciError {
        OciError::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", message)
    }

    /// Returns a 405.
    pub(crate) fn unsupported() -> OciError {
        OciError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "UNSUPPORTED",
            "The operation is unsupported.",
        )
    }

    /// Returns a 404 for a path that is not part of this registry's API.
    pub(crate) fn not_found() -> OciError {
        OciError::new(StatusCode::NOT_FOUND, "UNSUPPORTED", "The operation is unsupported.")
    }

    /// Returns the error for a refused manifest. ECR's messages and its 405 are those that users quote; GHCR's
    /// are the specification's.
    pub(crate) fn push(error: PushError, host: RegistryKind, account: &str) -> OciError {
        let bad = |code, message: String| OciError::new(StatusCode::BAD_REQUEST, code, message);
        match error {
            PushError::UnknownRepository(name) => OciError::unknown_name(host, &name, account),
            PushError::Invalid(why) => match host {
                RegistryKind::Ecr => OciError::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "UNSUPPORTED",
                    "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON \
                     syntax'",
                ),
                RegistryKind::Ghcr => bad("MANIFEST_INVALID", format!("manifest invalid: {why}")),
            },
            PushError::TooLarge(bytes) => OciError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "SIZE_INVALID",
                format!("the manifest has {bytes} bytes, more than 4 MiB"),
            ),
            PushError::InvalidTag(tag) => bad("TAG_INVALID", format!("{tag} is not a valid tag")),
            PushError::MissingBlobs(digests) => match host {
                RegistryKind::Ecr => bad(
                    "MANIFEST_BLOB_UNKNOWN",
                    format!("Layers with digests '{}' do not exist", digests.join(", ")),
                ),
                RegistryKind::Ghcr => {
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
            PushError::ImmutableTag { repository, tag } => bad(
                "TAG_INVALID",
                format!(
                    "The image tag '{tag}' already exists in the '{repository}' repository and cannot be \
                     overwritten because the tag is immutable."
                ),
            ),
            PushError::Quota(what) => {
                OciError::denied(format!("a service limit would have been exceeded: {what}"))
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
