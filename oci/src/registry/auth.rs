//! Answers a registry's `WWW-Authenticate` challenge: with Basic, as ECR requires, or with a token from the
//! realm that it names, as GHCR requires.

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Method, Response, StatusCode};
use http_auth::ChallengeRef;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::RegistryError;
use super::client::{Call, Payload, Registry};
use super::credentials::secret;
use super::endpoint::is_safe;

/// Returns the `Authorization` that answers a 401, given the one that was refused; `None` if there are no
/// other credentials.
pub(super) async fn answer(
    registry: &Registry,
    call: &Call<'_>,
    unauthorized: &Response<Bytes>,
    shown: Option<&HeaderValue>,
) -> Result<Option<HeaderValue>, RegistryError> {
    let headers: Vec<&str> = unauthorized
        .headers()
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let challenges: Vec<ChallengeRef<'_>> = headers
        .iter()
        .filter_map(|header| http_auth::parse_challenges(header).ok())
        .flatten()
        .collect();
    let of = |scheme: &str| challenges.iter().find(|c| c.scheme.eq_ignore_ascii_case(scheme));
    if let Some(bearer) = of("Bearer") {
        let url = token_url(bearer, call).ok_or_else(|| {
            registry.protocol_error(
                call,
                "its challenge asks for a token but names no `https://` realm",
            )
        })?;
        return token(registry, call, url).await.map(Some);
    }
    if of("Basic").is_some() {
        return registry.basic(call, shown).await;
    }
    Err(registry
        .protocol_error(call, "it answered 401 with neither a Basic nor a Bearer challenge"))
}

/// Returns the URL of the token service, with the challenge's service and scopes, and a pull scope for the
/// repository that a blob is mounted from, which challenges don't name.
fn token_url(challenge: &ChallengeRef<'_>, call: &Call<'_>) -> Option<String> {
    let parameter = |name: &str| {
        let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_unescaped())
    };
    let realm = parameter("realm")?;
    if !is_safe(&realm.parse().ok()?) {
        return None;
    }
    let service = parameter("service").into_iter().map(|service| ("service", service));
    let scopes = parameter("scope").unwrap_or_default();
    let scopes = scopes.split(' ').filter(|s| !s.is_empty()).map(|s| ("scope", s.to_owned()));
    let besides = call.pull_scope.map(|also| ("scope", format!("repository:{}:pull", also.path())));
    let mut url = realm;
    for (name, value) in service.chain(scopes).chain(besides) {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)));
    }
    Some(url)
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// Fetches a token. If the token service refuses the login, renews it and retries once. The credentials go to
/// the realm, as Bearer authentication requires.
async fn token(
    registry: &Registry,
    call: &Call<'_>,
    url: String,
) -> Result<HeaderValue, RegistryError> {
    let request = Call {
        repository: call.repository,
        pull_scope: None,
        method: Method::GET,
        url,
        headers: Vec::new(),
        body: Payload::nothing(),
        attempted: format!("get a token to {}", call.attempted),
    };
    let shown = registry.credentials().basic();
    let mut response = registry.send(&request, shown.clone()).await?;
    if response.status() == StatusCode::UNAUTHORIZED
        && let Some(renewed) = registry.basic(&request, shown.as_ref()).await?
        && Some(&renewed) != shown.as_ref()
    {
        response = registry.send(&request, Some(renewed)).await?;
    }
    if !response.status().is_success() {
        return Err(RegistryError::refused(&request.attempted, call.repository, &response));
    }
    serde_json::from_slice::<Token>(response.body())
        .ok()
        .and_then(|answer| answer.token.or(answer.access_token))
        .and_then(|token| secret(&format!("Bearer {token}")))
        .ok_or_else(|| registry.protocol_error(&request, "the response has no token"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_rollout::model::Repository;

    fn call<'a>(repository: &'a Repository, also: Option<&'a Repository>) -> Call<'a> {
        Call {
            repository,
            pull_scope: also,
            method: Method::GET,
            url: String::new(),
            headers: Vec::new(),
            body: Payload::nothing(),
            attempted: String::new(),
        }
    }

    fn url(header: &str) -> Option<String> {
        let repository = "ghcr.io/acme/web".parse().unwrap();
        token_url(&http_auth::parse_challenges(header).unwrap()[0], &call(&repository, None))
    }

    #[test]
    fn a_challenge_becomes_the_realms_url() {
        let ghcr = r#"Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:acme/web:pull,push""#;
        assert_eq!(
            url(ghcr).unwrap(),
            "https://ghcr.io/token?service=ghcr%2Eio&scope=repository%3Aacme%2Fweb%3Apull%2Cpush"
        );
        assert_eq!(url(r#"Bearer realm="http://ghcr.io/token""#), None);
        assert_eq!(url(r#"Bearer service="x""#), None);
    }

    #[test]
    fn what_a_blob_is_taken_from_is_asked_for_besides() {
        let (web, base) =
            ("ghcr.io/acme/web".parse().unwrap(), "ghcr.io/acme/base".parse().unwrap());
        let header = r#"Bearer realm="https://ghcr.io/token",scope="repository:acme/web:push""#;
        let challenge = &http_auth::parse_challenges(header).unwrap()[0];
        assert_eq!(
            token_url(challenge, &call(&web, Some(&base))).unwrap(),
            "https://ghcr.io/token?scope=repository%3Aacme%2Fweb%3Apush&scope=repository%3Aacme%2Fbase%3Apull"
        );
    }
}
