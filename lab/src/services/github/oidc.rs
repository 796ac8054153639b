//! GitHub's side of OpenID Connect: the endpoint at which a workflow's job gets a token that says
//! which repository, branch and environment it runs for. The tokens are signed with HS256 and a key of
//! the lab; GitHub's are RS256, but here the signer and the verifier are one program.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use sha2::Sha256;

use super::answer::answer;
use super::repository::DEFAULT_BRANCH;
use crate::services::registry::authority;
use crate::world::World;

/// Who issues the tokens.
pub const ISSUER: &str = "https://token.actions.githubusercontent.com";

const ISSUER_HOST: &str = "token.actions.githubusercontent.com";

/// Below this path a loopback door shows what the issuer has below its own root.
const ISSUER_PATH: &str = "/_lab/github/.well-known/";

/// The claims that tokens have, as the discovery document lists them.
const CLAIMS: [&str; 12] = [
    "sub",
    "aud",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "ref",
    "sha",
    "repository",
    "repository_owner",
    "environment",
];

/// The path of the token endpoint in the lab. It carries a query already, as GitHub's does, so that a
/// job may append `&audience=…`.
pub const TOKEN_PATH: &str = "/_lab/github/token?api-version=2.0";

/// What a job shows to get a token: `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
pub const REQUEST_TOKEN: &str = "lab-id-token-request-token";

/// How long a token lives, in seconds (seen on GitHub's tokens).
const LIFETIME: i64 = 300;

const KEY_ID: &str = "lab";

const KEY: &[u8] = b"the lab's own signing key; it protects nothing";

/// Answers one request for a token.
pub fn token(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    if !bears_request_token(request) {
        return answer(StatusCode::UNAUTHORIZED, &json!({ "message": "Bad credentials" }));
    }
    let query = request.uri().query().unwrap_or_default();
    let audience = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "audience")
        .map(|(_, value)| value.into_owned())
        // GitHub's default: the address of the repository's owner.
        .unwrap_or_else(|| format!("https://github.com/{}", world.github.owner()));
    let value = mint(world, &audience);
    answer(StatusCode::OK, &json!({ "count": value.len(), "value": value }))
}

/// A token of the present job for `audience`, good for five minutes from now. The claims are GitHub's
/// ("OpenID Connect reference").
pub fn mint(world: &mut World, audience: &str) -> String {
    let (id, now) = (world.ids.uuid(), world.now.as_second());
    let job = &world.github;
    let (base, head) = match job.pull_of_job() {
        Some(pull) => (DEFAULT_BRANCH, pull.branch.as_str()),
        None => ("", ""),
    };
    let workflow = format!("{}/.github/workflows/deploy.yml@{}", job.repository, job.git_ref);
    let mut claims = json!({
        "jti": id,
        "sub": job.subject,
        "aud": audience,
        "iss": ISSUER,
        "ref": job.git_ref,
        "ref_type": if job.git_ref.starts_with("refs/tags/") { "tag" } else { "branch" },
        "ref_protected": "false",
        "sha": job.commit,
        "repository": job.repository,
        "repository_id": job.repository_id.to_string(),
        "repository_owner": job.owner(),
        "repository_owner_id": job.owner_id.to_string(),
        "repository_visibility": if job.private { "private" } else { "public" },
        "actor": "ada",
        "actor_id": "1",
        "base_ref": base,
        "head_ref": head,
        "event_name": job.event,
        "workflow": "deploy",
        "workflow_ref": workflow,
        "workflow_sha": job.commit,
        "job_workflow_ref": workflow,
        "job_workflow_sha": job.commit,
        "run_id": job.run_id.to_string(),
        "run_number": job.run_id.to_string(),
        "run_attempt": job.run_attempt.to_string(),
        "check_run_id": job.job_id.to_string(),
        "runner_environment": "github-hosted",
        "nbf": now - LIFETIME,
        "iat": now,
        "exp": now + LIFETIME,
    });
    if let Some(environment) = &job.environment {
        claims["environment"] = environment.as_str().into();
    }
    let header = json!({ "alg": "HS256", "kid": KEY_ID, "typ": "JWT" });
    let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let signature = encoded(signature(&signed));
    format!("{signed}.{signature}")
}

/// Whether a request asks for what the issuer says of itself: under its own name, or below
/// `/_lab/github` where a loopback door has no such name.
pub(crate) fn is_issuer(request: &Request<Bytes>) -> bool {
    authority(request) == ISSUER_HOST || request.uri().path().starts_with(ISSUER_PATH)
}

/// Answers such a request: the discovery document and the keys (OpenID Connect Discovery 1.0). The key
/// is a shared one, so that whoever has read it can check tokens, and sign them.
pub fn issuer(request: &Request<Bytes>) -> Response<Bytes> {
    match request.uri().path().rsplit_once("/.well-known/").map(|(_, name)| name) {
        Some("openid-configuration") => {
            let body = json!({
                "issuer": ISSUER,
                "jwks_uri": format!("{ISSUER}/.well-known/jwks"),
                "subject_types_supported": ["public", "pairwise"],
                "response_types_supported": ["id_token"],
                "claims_supported": CLAIMS,
                "id_token_signing_alg_values_supported": ["HS256"],
                "scopes_supported": ["openid"],
            });
            answer(StatusCode::OK, &body)
        }
        Some("jwks") => {
            let key = json!({ "kty": "oct", "use": "sig", "alg": "HS256", "kid": KEY_ID, "k": encoded(KEY) });
            answer(StatusCode::OK, &json!({ "keys": [key] }))
        }
        _ => answer(StatusCode::NOT_FOUND, &json!({ "message": "Not Found" })),
    }
}

/// What is wrong with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// It is no JSON Web Token.
    Malformed,
    /// It was not signed here.
    Forged,
    /// It ended at the instant given.
    Expired(Timestamp),
}

/// The claims of a token: well-formed, signed here and not ended by `now`.
pub fn verify(token: &str, now: Timestamp) -> Result<Json, TokenError> {
    let (signed, mark) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (_header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| TokenError::Malformed)?;
    let claims: Json = serde_json::from_slice(&claims).map_err(|_| TokenError::Malformed)?;
    if encoded(signature(signed)) != mark {
        return Err(TokenError::Forged);
    }
    let ends = claims["exp"].as_i64().and_then(|at| Timestamp::from_second(at).ok());
    match ends {
        Some(ends) if now < ends => Ok(claims),
        Some(ends) => Err(TokenError::Expired(ends)),
        None => Err(TokenError::Malformed),
    }
}

fn bears_request_token(request: &Request<Bytes>) -> bool {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.and_then(|header| header.split_once(' ')).is_some_and(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && token.trim() == REQUEST_TOKEN
    })
}

fn signature(signed: &str) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(KEY) {
        Ok(mac) => mac.chain_update(signed).finalize().into_bytes().to_vec(),
        // HMAC takes keys of every length.
        Err(_) => Vec::new(),
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        World::new(1, "2026-01-05T09:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_job_gets_a_token_for_five_minutes() {
        let mut world = world();
        let request = Request::get(format!("{TOKEN_PATH}&audience=sts.amazonaws.com"))
            .header("Authorization", format!("bearer {REQUEST_TOKEN}"))
            .body(Bytes::new())
            .unwrap();
        let response = token(&mut world, &request);
        let body: Json = serde_json::from_slice(response.body()).unwrap();
        let value = body["value"].as_str().unwrap();
        let claims = verify(value, world.now).unwrap();
        assert_eq!(claims["sub"], "repo:acme/news:ref:refs/heads/main");
        assert_eq!(claims["aud"], "sts.amazonaws.com");
        let later = world.now + jiff::SignedDuration::from_secs(300);
        assert_eq!(verify(value, later), Err(TokenError::Expired(later)));
    }

    #[test]
    fn without_the_request_token_there_is_none() {
        let request = Request::get(TOKEN_PATH).body(Bytes::new()).unwrap();
        assert_eq!(token(&mut world(), &request).status(), 401);
    }

    #[test]
    fn a_changed_token_is_forged() {
        let mut world = world();
        let token = mint(&mut world, "a");
        let other = mint(&mut world, "b");
        let (head, _) = token.rsplit_once('.').unwrap();
        let (_, mark) = other.rsplit_once('.').unwrap();
        assert_eq!(verify(&format!("{head}.{mark}"), world.now), Err(TokenError::Forged));
        assert_eq!(verify("no token", world.now), Err(TokenError::Malformed));
    }
}
