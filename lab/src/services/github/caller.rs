//! The caller of the REST API, and the body of its request.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value as Json;

use super::response::{ErrorResponse, not_found, refuse};
use super::tokens::{AccessToken, Level};

/// The caller, as far as known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'w> {
    pub(super) token: Option<&'w AccessToken>,
}

impl Caller<'_> {
    /// Refuses a caller without this level of a permission. Anyone may read what is `open`, "without
    /// authentication or the aforementioned permissions" (REST API). A caller who may not see a repository
    /// gets a 404.
    pub(super) fn needs(
        self,
        level: impl Fn(&AccessToken) -> Level,
        needed: Level,
        open: bool,
    ) -> Result<(), ErrorResponse> {
        match self.token {
            _ if open && needed <= Level::Read => Ok(()),
            None if open => Err(refuse(StatusCode::UNAUTHORIZED, "Requires authentication")),
            None => Err(not_found()),
            Some(token) if level(token) >= needed => Ok(()),
            Some(token) if token.is_job => {
                Err(refuse(StatusCode::FORBIDDEN, "Resource not accessible by integration"))
            }
            Some(_) => Err(refuse(
                StatusCode::FORBIDDEN,
                "Resource not accessible by personal access token",
            )),
        }
    }

    /// Returns the name of the account.
    pub(super) fn login(self) -> String {
        self.token.map_or_else(|| "ghost".to_owned(), |token| token.login.clone())
    }
}

/// Parses the body of a request, which must be a JSON object.
pub(super) fn body(request: &Request<Bytes>) -> Result<Json, ErrorResponse> {
    let json: Option<Json> = serde_json::from_slice(request.body()).ok();
    match json {
        Some(json @ Json::Object(_)) => Ok(json),
        Some(_) => Err(refuse(StatusCode::BAD_REQUEST, "Body should be a JSON object")),
        None => Err(refuse(StatusCode::BAD_REQUEST, "Problems parsing JSON")),
    }
}

/// The path below which a server other than GitHub's has the API.
pub(super) const OWN_SERVER: &str = "/api/v3/";

/// Returns whether a request is for the REST API below `/api/v3`.
pub(super) fn is_own_server(request: &Request<Bytes>) -> bool {
    request.uri().path().starts_with(OWN_SERVER)
}
