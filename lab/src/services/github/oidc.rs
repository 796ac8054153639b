//! GitHub's side of OpenID Connect: the endpoint that issues a workflow job a token for its repository,
//! branch and environment. The tokens are signed with HS256 and a key of the lab; GitHub's are RS256, but
//! here signer and verifier are one program.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use sha2::Sha256;

use super::repository::DEFAULT_BRANCH;
use super::response::json_response;
use crate::services::message::authority;
use crate::world::World;

/// The issuer of the tokens.
pub const ISSUER: &str = "https://token.actions.githubusercontent.com";

const ISSUER_HOST: &str = "token.actions.githubusercontent.com";

/// The path below which a loopback transport serves what the issuer serves at its own root.
const ISSUER_PATH: &str = "/_lab/github/.well-known/";

/// The claims of tokens, as the discovery document lists them.
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

/// The path of the token endpoint in the lab. Like GitHub's it already has a query, so that a job can append
/// `&audience=…`.
pub const TOKEN_PATH: &str = "/_lab/github/token?api-version=2.0";

/// The bearer token with which a job requests a token: `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
pub const REQUEST_TOKEN: &str = "lab-id-token-request-token";

/// How long a token is valid, in seconds (seen on GitHub's tokens).
const LIFETIME: i64 = 300;

const KEY_ID: &str = "lab";

const KEY: &[u8] = b"the lab's own signing key; it protects nothing";

/// Answers one token request.
pub fn serve_token(world: &mut World, request: &Request<Bytes>) -> Response<Bytes> {
    if !has_request_token(request) {
        return json_response(StatusCode::UNAUTHORIZED, &json!({ "message": "Bad credentials" }));
    }
    let query = request.uri().query().unwrap_or_default();
    let audience = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "audience")
        .map(|(_, value)| value.into_owned())
        // GitHub's default: the URL of the repository's owner.
        .unwrap_or_else(|| format!("https://github.com/{}", world.github.owner()));
    let value = issue_token(world, &audience);
    json_response(StatusCode::OK, &json!({ "count": value.len(), "value": value }))
}

/// Issues a token of the current job for `audience`, valid for five minutes from now, with GitHub's claims
/// ("OpenID Connect reference").
pub fn issue_token(world: &mut World, audience: &str) -> String {
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

/// Returns whether a request is for the issuer's metadata: at its own host, or below `/_lab/github` on a
/// loopback transport, which has no such host.
pub(crate) fn is_issuer(request: &Request<Bytes>) -> bool {
    authority(request) == ISSUER_HOST || request.uri().path().starts_with(ISSUER_PATH)
}

/// Answers such a request: the discovery document and the keys (OpenID Connect Discovery 1.0). The key is a
/// shared one, so whoever reads it can verify tokens, and sign them.
pub fn serve_issuer(request: &Request<Bytes>) -> Response<Bytes> {
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
            json_response(StatusCode::OK, &body)
        }
        Some("jwks") => {
            let key = json!({ "kty": "oct", "use": "sig", "alg": "HS256", "kid": KEY_ID, "k": encoded(KEY) });
            json_response(StatusCode::OK, &json!({ "keys": [key] }))
        }
        _ => json_response(StatusCode::NOT_FOUND, &json!({ "message": "Not Found" })),
    }
}

/// Why a token was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// It is not a JSON Web Token.
    Malformed,
    /// The lab did not sign it.
    Forged,
    /// It expired at this time.
    Expired(Timestamp),
}

/// Verifies that a token is well-formed, signed by the lab and not expired at `now`, and returns its claims.
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

fn has_request_token(request: &Request<Bytes>) -> bool {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.and_then(|header| header.split_once(' ')).is_some_and(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && token.trim() == REQUEST_TOKEN
    })
}

fn signature(signed: &str) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(KEY) {
        Ok(mac) => mac.chain_update(signed).finalize().into_bytes().to_vec(),
        // HMAC accepts keys of any length.
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
        let response = serve_token(&mut world, &request);
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
        assert_eq!(serve_token(&mut world(), &request).status(), 401);
    }

    #[test]
    fn a_changed_token_is_forged() {
        let mut world = world();
        let token = issue_token(&mut world, "a");
        let other = issue_token(&mut world, "b");
        let (head, _) = token.rsplit_once('.').unwrap();
        let (_, mark) = other.rsplit_once('.').unwrap();
        assert_eq!(verify(&format!("{head}.{mark}"), world.now), Err(TokenError::Forged));
        assert_eq!(verify("no token", world.now), Err(TokenError::Malformed));
    }
}
