//! Who may do what to a package.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;

use super::Visibility;
use super::packages::owner;
use crate::services::github::{AccessToken, Level};
use crate::services::registry::Refusal;
use crate::world::World;

/// What somebody wants to do to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Read it.
    Pull,
    /// Change it.
    Push,
}

impl Deed {
    fn name(self) -> &'static str {
        match self {
            Deed::Pull => "pull",
            Deed::Push => "push",
        }
    }
}

/// Who shows an `Authorization` header, and what it lets them do.
enum Caller {
    /// A bearer token of the token service.
    Session { holder: Option<String>, scope: Vec<(String, Vec<String>)> },
    /// A GitHub token itself, in base64, which GHCR takes too.
    Token(String),
}

/// Judges a request by its `Authorization` header; `name` is the package, if it is about one.
pub(crate) fn authorise(
    world: &World,
    authorization: Option<&str>,
    name: Option<&str>,
    deed: Deed,
) -> Result<(), Refusal> {
    let caller = caller(world, authorization, name, deed)?;
    let Some(name) = name else { return Ok(()) };
    let holder = match caller {
        Caller::Session { holder, scope } => {
            let covers = |(named, deeds): &(String, Vec<String>)| {
                named == name && deeds.iter().any(|d| d == deed.name() || d == "*")
            };
            if !scope.iter().any(covers) {
                return Err(Refusal::denied("requested access to the resource is denied"));
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
    deed: Deed,
) -> Result<Caller, Refusal> {
    let challenged = || {
        let deeds = if deed == Deed::Push { "pull,push" } else { "pull" };
        let scope = name.map(|name| format!("repository:{name}:{deeds}"));
        Refusal::unauthorized("authentication required", scope)
    };
    let shown = authorization.ok_or_else(challenged)?;
    // Whoever shows something that is no token of GHCR's is told so, without a challenge (renovate
    // #11446 and argocd-image-updater #303 ran into that).
    let invalid = || Refusal::denied("invalid token");
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

/// Whether the holder of a token, or nobody, may do this to a package.
pub(super) fn permitted(
    world: &World,
    token: Option<&AccessToken>,
    name: &str,
    deed: Deed,
) -> Result<(), Refusal> {
    let package = world.ghcr.packages.get(name);
    let public = package.is_some_and(|package| package.visibility == Visibility::Public);
    if deed == Deed::Pull && public {
        return Ok(());
    }
    let Some(token) = token else {
        return Err(Refusal::denied("requested access to the resource is denied"));
    };
    let level = token.packages;
    if deed == Deed::Pull && level < Level::Read {
        return Err(Refusal::denied(
            "permission_denied: The token provided does not match expected scopes.",
        ));
    }
    let own = owner(&world.github.repository).to_ascii_lowercase() == owner(name);
    let job = token.is_job;
    let linked = package.is_some_and(|p| p.repositories.contains(&world.github.repository));
    match deed {
        Deed::Pull if !own => Err(Refusal::denied("permission_denied: read_package")),
        Deed::Pull if package.is_none() => Ok(()),
        Deed::Pull
            if job && !linked && package.is_some_and(|p| p.visibility == Visibility::Private) =>
        {
            Err(Refusal::denied("permission_denied: read_package"))
        }
        Deed::Pull => Ok(()),
        Deed::Push if job && level < Level::Write => Err(Refusal::denied(match package {
            Some(_) => "installation not allowed to Write organization package",
            None => "installation not allowed to Create organization package",
        })),
        Deed::Push if level < Level::Write => Err(Refusal::denied(
            "permission_denied: The token provided does not match expected scopes.",
        )),
        Deed::Push if !own && job => {
            Err(Refusal::denied("permission_denied: The requested installation does not exist."))
        }
        Deed::Push if !own => Err(Refusal::denied("permission_denied: create_package")),
        Deed::Push if job && package.is_some() && !linked => {
            Err(Refusal::denied("permission_denied: write_package"))
        }
        Deed::Push => Ok(()),
    }
}

/// The GitHub token behind a request.
pub(super) fn holder<'w>(world: &'w World, request: &Request<Bytes>) -> Option<&'w AccessToken> {
    let token = match caller(world, shown(request), None, Deed::Pull).ok()? {
        Caller::Session { holder, .. } => holder?,
        Caller::Token(token) => token,
    };
    world.github.access_token(&token, world.now)
}

fn shown(request: &Request<Bytes>) -> Option<&str> {
    request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok())
}

/// Whether the sender of a request may take blobs over from this package.
pub(crate) fn may_mount(world: &World, request: &Request<Bytes>, from: &str) -> bool {
    authorise(world, shown(request), Some(from), Deed::Pull).is_ok()
}
