//! Permissions on packages.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;

use super::package::{Visibility, owner};
use crate::services::github::{AccessToken, Level};
use crate::services::registry::OciError;
use crate::world::World;

/// An action on a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageAction {
    /// Read the package.
    Pull,
    /// Write to the package.
    Push,
}

impl PackageAction {
    fn name(self) -> &'static str {
        match self {
            PackageAction::Pull => "pull",
            PackageAction::Push => "push",
        }
    }
}

/// The caller, from the `Authorization` header, and what it may do.
enum Caller {
    /// A bearer token of the token service.
    Session { holder: Option<String>, scope: Vec<(String, Vec<String>)> },
    /// A base64-encoded GitHub token, which GHCR accepts, too.
    Token(String),
}

/// Authorizes a request by its `Authorization` header; `name` is the package, if the request concerns one.
pub(crate) fn authorize(
    world: &World,
    authorization: Option<&str>,
    name: Option<&str>,
    deed: PackageAction,
) -> Result<(), OciError> {
    let caller = caller(world, authorization, name, deed)?;
    let Some(name) = name else { return Ok(()) };
    let holder = match caller {
        Caller::Session { holder, scope } => {
            let covers = |(named, deeds): &(String, Vec<String>)| {
                named == name && deeds.iter().any(|d| d == deed.name() || d == "*")
            };
            if !scope.iter().any(covers) {
                return Err(OciError::denied("requested access to the resource is denied"));
            }
            holder
        }
        Caller::Token(token) => Some(token),
    };
    let token = holder.as_deref().and_then(|holder| world.github.access_token(holder, world.now));
    permitted(world, token, name, deed)
}

fn caller(
    world: &World,
    authorization: Option<&str>,
    name: Option<&str>,
    deed: PackageAction,
) -> Result<Caller, OciError> {
    let challenged = || {
        let deeds = if deed == PackageAction::Push { "pull,push" } else { "pull" };
        let scope = name.map(|name| format!("repository:{name}:{deeds}"));
        OciError::unauthorized("authentication required", scope)
    };
    let shown = authorization.ok_or_else(challenged)?;
    // Anything that is not a GHCR token is refused as such, without a challenge (seen in renovate #11446 and
    // argocd-image-updater #303).
    let invalid = || OciError::denied("invalid token");
    let (scheme, token) = shown.split_once(' ').ok_or_else(invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(invalid());
    }
    let token = token.trim();
    match world.ghcr.sessions.get(token) {
        Some(session) if session.ends <= world.now => Err(challenged()),
        Some(session) => {
            Ok(Caller::Session { holder: session.holder.clone(), scope: session.scope.clone() })
        }
        None => {
            let token = decoded(token).ok_or_else(invalid)?;
            let token = token.rsplit_once(':').map_or(token.as_str(), |(_, token)| token).trim();
            let known = world.github.access_token(token, world.now);
            known.map(|_| Caller::Token(token.to_owned())).ok_or_else(invalid)
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    let bytes = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()?;
    String::from_utf8(bytes).ok()
}

/// Checks whether the holder of a token, or an anonymous caller, may do this to a package.
pub(super) fn permitted(
    world: &World,
    token: Option<&AccessToken>,
    name: &str,
    deed: PackageAction,
) -> Result<(), OciError> {
    let package = world.ghcr.packages.get(name);
    let public = package.is_some_and(|package| package.visibility == Visibility::Public);
    if deed == PackageAction::Pull && public {
        return Ok(());
    }
    let Some(token) = token else {
        return Err(OciError::denied("requested access to the resource is denied"));
    };
    let level = token.packages;
    if deed == PackageAction::Pull && level < Level::Read {
        return Err(OciError::denied(
            "permission_denied: The token provided does not match expected scopes.",
        ));
    }
    let own = owner(&world.github.repository).to_ascii_lowercase() == owner(name);
    let job = token.is_job;
    let linked = package.is_some_and(|p| p.repositories.contains(&world.github.repository));
    match deed {
        PackageAction::Pull if !own => Err(OciError::denied("permission_denied: read_package")),
        PackageAction::Pull if package.is_none() => Ok(()),
        PackageAction::Pull
            if job && !linked && package.is_some_and(|p| p.visibility == Visibility::Private) =>
        {
            Err(OciError::denied("permission_denied: read_package"))
        }
        PackageAction::Pull => Ok(()),
        PackageAction::Push if job && level < Level::Write => {
            Err(OciError::denied(match package {
                Some(_) => "installation not allowed to Write organization package",
                None => "installation not allowed to Create organization package",
            }))
        }
        PackageAction::Push if level < Level::Write => Err(OciError::denied(
            "permission_denied: The token provided does not match expected scopes.",
        )),
        PackageAction::Push if !own && job => {
            Err(OciError::denied("permission_denied: The requested installation does not exist."))
        }
        PackageAction::Push if !own => Err(OciError::denied("permission_denied: create_package")),
        PackageAction::Push if job && package.is_some() && !linked => {
            Err(OciError::denied("permission_denied: write_package"))
        }
        PackageAction::Push => Ok(()),
    }
}

/// Returns the GitHub token behind a request.
pub(super) fn holder<'w>(world: &'w World, request: &Request<Bytes>) -> Option<&'w AccessToken> {
    let token =
        match caller(world, authorization_header(request), None, PackageAction::Pull).ok()? {
            Caller::Session { holder, .. } => holder?,
            Caller::Token(token) => token,
        };
    world.github.access_token(&token, world.now)
}

fn authorization_header(request: &Request<Bytes>) -> Option<&str> {
    request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok())
}

/// Returns whether the sender of a request may mount blobs from this package.
pub(crate) fn may_mount(world: &World, request: &Request<Bytes>, from: &str) -> bool {
    authorize(world, authorization_header(request), Some(from), PackageAction::Pull).is_ok()
}
