//! The token service: `GET /token?service=ghcr.io&scope=repository:owner/name:pull,push`, with a GitHub token
//! as the password of any user, or anonymously for public packages. It issues a bearer token to every holder
//! of a valid token; permissions are checked only when that is used (users see `write_package` denied when an
//! upload begins).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response};
use serde_json::json;

use super::access::{PackageAction, permitted};
use super::state::TokenGrant;
use crate::services::registry::OciError;
use crate::world::{World, later};

/// Answers one token request.
pub fn serve(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    match token(world, request) {
        Ok(token) => {
            let mut response = Response::new(Bytes::from(json!({ "token": token }).to_string()));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        Err(refusal) => refusal.response(),
    }
}

fn token(world: &mut World, request: &Request<Bytes>) -> Result<String, OciError> {
    if *request.method() != Method::GET {
        return Err(OciError::unsupported());
    }
    let holder = match request.headers().get(AUTHORIZATION) {
        None => None,
        Some(header) => {
            let shown = header.to_str().ok().and_then(password);
            let known = shown.filter(|token| world.github.access_token(token, world.now).is_some());
            // `docker login` with an invalid token prints: denied: denied.
            Some(known.ok_or_else(|| OciError::denied("denied"))?)
        }
    };
    let query = request.uri().query().unwrap_or_default();
    let scope: Vec<(String, Vec<String>)> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "scope")
        .flat_map(|(_, scopes)| scopes.split(' ').filter_map(one_scope).collect::<Vec<_>>())
        .collect();
    if holder.is_none() {
        for (name, _) in &scope {
            permitted(world, None, name, PackageAction::Pull)?;
        }
    }
    let token = STANDARD.encode(format!("djE:{}", world.ids.uuid()));
    let ends = later(world.now, world.params.ghcr_token);
    world.ghcr.sessions.retain(|_, session| session.ends > world.now);
    world.ghcr.sessions.insert(token.clone(), TokenGrant { holder, scope, ends });
    Ok(token)
}

/// Parses one scope, `repository:owner/name:pull,push`.
fn one_scope(text: &str) -> Option<(String, Vec<String>)> {
    let (name, deeds) = text.strip_prefix("repository:")?.rsplit_once(':')?;
    Some((name.to_owned(), deeds.split(',').map(str::to_owned).collect()))
}

/// Returns the password of a Basic header.
fn password(header: &str) -> Option<String> {
    let (scheme, encoded) = header.split_once(' ')?;
    let pair =
        STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
    let (_, password) = pair.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
}
