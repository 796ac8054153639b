//! How the distribution API says no.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::PushError;

/// An error of the OCI distribution specification.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Refusal {
        Refusal { status, code, message: message.into() }
    }

    pub(super) fn unknown_name(name: &str, account: &str) -> Refusal {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "NAME_UNKNOWN",
            format!(
                "The repository with name '{name}' does not exist in the registry with id '{account}'"
            ),
        )
    }

    pub(super) fn unknown_blob(digest: &str) -> Refusal {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "BLOB_UNKNOWN",
            format!("blob {digest} unknown to registry"),
        )
    }

    pub(super) fn unknown_upload() -> Refusal {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "BLOB_UPLOAD_UNKNOWN",
            "blob upload unknown to registry",
        )
    }

    pub(super) fn digest(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", message)
    }

    pub(super) fn unsupported() -> Refusal {
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported.")
    }

    /// ECR's messages where its users quote them; the statuses are the specification's.
    pub(super) fn push(error: PushError, account: &str) -> Refusal {
        let bad = |code, message| Refusal::new(StatusCode::BAD_REQUEST, code, message);
        match error {
            PushError::UnknownRepository(name) => Refusal::unknown_name(&name, account),
            PushError::Invalid(why) => bad("MANIFEST_INVALID", why),
            PushError::MissingBlobs(digests) => bad(
                "MANIFEST_BLOB_UNKNOWN",
                format!("Layers with digests '{}' do not exist", digests.join(", ")),
            ),
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
        }
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        let errors =
            serde_json::json!({ "errors": [{ "code": self.code, "message": self.message }] });
        let mut response = Response::new(Bytes::from(errors.to_string()));
        *response.status_mut() = self.status;
        let json = http::HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(http::header::CONTENT_TYPE, json);
        response
    }
}
