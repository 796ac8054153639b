//! Sends one request and returns its response: authentication, timeout, retries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use cutover_net::{self, Body, Net, TransportError};
use cutover_rollout::model::Repository;

use super::{Credentials, Endpoint, RegistryError, Renewal, Spool, SpoolState, auth};

/// Attempts at an operation that fails transiently, over about ten seconds: a registry may be restarting.
/// Every request may be repeated, since content is addressed by digest.
pub(super) const ATTEMPTS: usize = 6;

/// Logins per request: the first attempt is anonymous or uses an expired login, the next one uses the known
/// credentials, the last one renewed credentials.
pub(super) const LOGINS: usize = 2;

/// The longest `Retry-After` that is honored.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A registry and the credentials for it.
#[derive(Debug, Clone)]
pub struct Registry {
    pub(super) net: Net,
    pub(super) endpoint: Endpoint,
    credentials: Arc<Mutex<Credentials>>,
    renewal: Option<Renewal>,
    /// The `Authorization` values that the registry has asked for, by the scope that each covers.
    shown: Arc<Mutex<BTreeMap<String, HeaderValue>>>,
}

/// A request without its `Authorization`.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub(super) repository: &'a Repository,
    /// A second repository, which the request reads from: the token must cover it, too.
    pub(super) pull_scope: Option<&'a Repository>,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Payload,
    /// What the request does, to follow "cannot" in messages.
    pub(super) attempted: String,
}

/// The result of sending a request once.
#[derive(Debug)]
pub(super) enum Exchange {
    /// The registry's response, which may be an error.
    Answered(Response<Bytes>),
    /// The registry asked for credentials, and they are now in place: the same request may succeed. Holds the
    /// refusal.
    LoggedIn(RegistryError),
}

/// A request's body. It can be sent again, with other credentials or after an interruption.
#[derive(Debug, Clone)]
pub(super) enum Payload {
    Bytes(Bytes),
    /// A spool's content from this offset on, while it is written.
    Spool(Spool, u64),
    /// An empty body that completes an upload of this many bytes, all of which the registry may read again
    /// before it answers.
    Sent(u64),
}

impl Payload {
    /// Returns an empty body.
    pub(super) fn nothing() -> Payload {
        Payload::Bytes(Bytes::new())
    }

    fn body(&self) -> Body {
        match self {
            Payload::Bytes(bytes) => cutover_net::full(bytes.clone()),
            Payload::Spool(spool, offset) => spool.body(*offset),
            Payload::Sent(_) => cutover_net::empty(),
        }
    }

    /// Sleeps until the request has timed out: 30 s, plus time for the content at 256 KiB/s. A spool that is
    /// still being written or read has no limit.
    async fn timeout(&self) {
        const BYTES_A_SECOND: u64 = 256 * 1024;
        const READ_AGAIN: u64 = 16 << 20;
        let sleep = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        match self {
            Payload::Bytes(bytes) => sleep(30 + bytes.len() as u64 / BYTES_A_SECOND).await,
            Payload::Sent(size) => sleep(30 + size / READ_AGAIN).await,
            Payload::Spool(spool, _) => loop {
                let taken = spool.bytes_read();
                sleep(60).await;
                if !matches!(spool.state(), SpoolState::Partial(_)) && spool.bytes_read() == taken {
                    return;
                }
            },
        }
    }
}

impl Registry {
    /// Creates a client for the registry at `endpoint`. Sends nothing yet.
    pub fn new(net: Net, endpoint: Endpoint, credentials: Credentials) -> Registry {
        let credentials = Arc::new(Mutex::new(credentials));
        Registry { net, endpoint, credentials, renewal: None, shown: Arc::default() }
    }

    /// Sets how to get new credentials when the registry no longer accepts the current ones.
    #[must_use]
    pub fn with_renewal(self, renewal: Renewal) -> Registry {
        Registry { renewal: Some(renewal), ..self }
    }

    /// Returns a client for the same registry without credentials.
    #[must_use]
    pub fn anonymous(&self) -> Registry {
        Registry::new(self.net.clone(), self.endpoint.clone(), Credentials::Anonymous)
    }

    /// Returns whether there are no credentials for the registry.
    pub fn is_anonymous(&self) -> bool {
        self.renewal.is_none() && matches!(self.credentials(), Credentials::Anonymous)
    }

    /// Returns the registry's endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Creates a request to `/v2/<repository>/<path>`.
    pub(super) fn call<'a>(
        &self,
        method: Method,
        repository: &'a Repository,
        path: &str,
        attempted: String,
    ) -> Call<'a> {
        let url = self.endpoint.url(&format!("/v2/{}/{path}", repository.path()));
        Call {
            repository,
            pull_scope: None,
            method,
            url,
            headers: Vec::new(),
            body: Payload::nothing(),
            attempted,
        }
    }

    /// Sends `call`, and retries transient failures. Any other status is a response, not an error.
    pub(super) async fn send_with_retries(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, RegistryError> {
        self.retry(&call.url, || self.send_with_logins(call)).await
    }

    /// Retries `operation` while it fails transiently, up to `ATTEMPTS` times in total.
    pub(super) async fn retry<T, F, Fut>(
        &self,
        name: &str,
        operation: F,
    ) -> Result<T, RegistryError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, RegistryError>>,
    {
        // Jitter only has to differ between requests; seeded by name, runs in the lab are reproducible.
        let seed = name.bytes().fold(0_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(b.into()));
        let mut waits = cutover_net::delays(ATTEMPTS, seed);
        loop {
            match (operation().await, waits.next()) {
                (Err(error), Some(wait)) if error.is_transient() => self.wait(&error, wait).await,
                (result, _) => return result,
            }
        }
    }

    /// Waits before the next attempt for `wait` or the registry's `Retry-After`, whichever is longer.
    pub(super) async fn wait(&self, error: &RegistryError, wait: Duration) {
        let asked = error.retry_after().unwrap_or_default().min(LONGEST_WAIT);
        tracing::debug!(%error, "retrying");
        self.net.clock.sleep(wait.max(asked)).await;
    }

    /// Sends `call`, and again after each login that the registry asks for.
    pub(super) async fn send_with_logins(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, RegistryError> {
        for _ in 0..LOGINS {
            if let Exchange::Answered(response) = self.exchange(call).await? {
                return Self::unless_transient(call, response);
            }
        }
        match self.exchange(call).await? {
            Exchange::Answered(response) => Self::unless_transient(call, response),
            Exchange::LoggedIn(refused) => Err(refused),
        }
    }

    /// Sends `call` once. If the registry asks for credentials, logs in for the next attempt.
    pub(super) async fn exchange(&self, call: &Call<'_>) -> Result<Exchange, RegistryError> {
        let ours = self.endpoint.covers(&call.url);
        let shown = if ours { self.authorization(call) } else { None };
        let response = self.send(call, shown.clone()).await?;
        if !ours || !self.requires_login(call, &response, shown.as_ref()) {
            return Ok(Exchange::Answered(response));
        }
        self.log_in(call, &response, shown.as_ref()).await.map(Exchange::LoggedIn)
    }

    /// Logs in, so that later requests carry another `Authorization`. Returns the refusal that this resolves.
    ///
    /// # Errors
    /// Returns the refusal if there are no other credentials.
    pub(super) async fn log_in(
        &self,
        call: &Call<'_>,
        response: &Response<Bytes>,
        shown: Option<&HeaderValue>,
    ) -> Result<RegistryError, RegistryError> {
        let refused = || RegistryError::refused(&call.attempted, call.repository, response);
        if is_token_rejected(shown, response) {
            // Without a token, the registry sends a challenge that says where to get one.
            self.forget(call);
            return Ok(refused());
        }
        let answer = match response.status() {
            StatusCode::UNAUTHORIZED => auth::answer(self, call, response, shown).await?,
            _ => self.basic(call, shown).await?,
        };
        match answer {
            Some(answer) if Some(&answer) != shown => {
                // A token that allows pushing covers everything else.
                let challenges = response.headers().get_all(WWW_AUTHENTICATE);
                let push = |value: &HeaderValue| value.to_str().is_ok_and(|c| c.contains("push"));
                self.show(call, call.writes() || challenges.iter().any(push), answer);
                Ok(refused())
            }
            _ if matches!(self.credentials(), Credentials::Anonymous) => {
                Err(refused().with_login_hint(call.repository))
            }
            _ => Err(refused()),
        }
    }

    /// Returns whether the registry asks for credentials, for the first time or again.
    pub(super) fn requires_login(
        &self,
        call: &Call<'_>,
        response: &Response<Bytes>,
        shown: Option<&HeaderValue>,
    ) -> bool {
        response.status() == StatusCode::UNAUTHORIZED
            || self.is_login_expired(call, response, shown)
            || is_token_rejected(shown, response)
    }

    /// Returns whether the response means that the login has expired. ECR, which takes Basic, then answers
    /// 403 without a challenge. To a HEAD it answers without a message, so other refusals look the same.
    fn is_login_expired(
        &self,
        call: &Call<'_>,
        response: &Response<Bytes>,
        shown: Option<&HeaderValue>,
    ) -> bool {
        let basic = || shown.is_some_and(|value| value.as_bytes().starts_with(b"Basic "));
        let reported = || {
            let words = String::from_utf8_lossy(response.body());
            words.contains("token has expired") || call.method == Method::HEAD
        };
        self.renewal.is_some()
            && response.status() == StatusCode::FORBIDDEN
            && basic()
            && reported()
    }

    /// Returns the `Authorization` of the credentials if it differs from the refused one, else that of
    /// renewed credentials if they can be renewed.
    pub(super) async fn basic(
        &self,
        call: &Call<'_>,
        shown: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, RegistryError> {
        let current = self.credentials().basic();
        if current.is_some() && current.as_ref() != shown {
            return Ok(current);
        }
        let Some(renewal) = &self.renewal else { return Ok(None) };
        let renewed = renewal.ask().await.map_err(|why| RegistryError::Login {
            attempted: call.attempted.clone(),
            host: self.endpoint.host().to_owned(),
            why,
        })?;
        let answer = renewed.basic();
        *self.credentials.lock().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(answer)
    }

    pub(super) fn unless_transient(
        call: &Call<'_>,
        response: Response<Bytes>,
    ) -> Result<Response<Bytes>, RegistryError> {
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(RegistryError::refused(&call.attempted, call.repository, &response));
        }
        Ok(response)
    }

    /// Sends the request within a timeout that suits its body.
    pub(super) async fn send(
        &self,
        call: &Call<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Response<Bytes>, RegistryError> {
        let failed =
            |source| RegistryError::Transport { attempted: call.attempted.clone(), source };
        let mut request = Request::new(call.body.body());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call
            .url
            .parse()
            .map_err(|_| self.protocol_error(call, "it returned an invalid URL"))?;
        request.headers_mut().extend(call.headers.iter().cloned());
        if let Some(authorization) = authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        tokio::select! {
            answer = self.net.transport.send_bytes(request) => answer.map_err(failed),
            () = call.body.timeout() => {
                Err(failed(TransportError::Timeout { host: self.endpoint.host().to_owned() }))
            }
        }
    }

    pub(super) fn credentials(&self) -> Credentials {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the error for a response that violates the protocol.
    pub(super) fn protocol_error(&self, call: &Call<'_>, what: impl Into<String>) -> RegistryError {
        RegistryError::Protocol {
            attempted: call.attempted.clone(),
            what: what.into(),
            url: self.endpoint.to_string(),
        }
    }

    pub(super) fn authorization(&self, call: &Call<'_>) -> Option<HeaderValue> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        // Basic credentials cover everything, a token only its scope; a token that allows pushing allows
        // pulling.
        let basic = || shown.values().find(|value| value.as_bytes().starts_with(b"Basic "));
        let found = shown.get(&call.scope_key(call.writes()));
        found.or_else(|| shown.get(&call.scope_key(true))).or_else(basic).cloned()
    }

    fn show(&self, call: &Call<'_>, writes: bool, authorization: HeaderValue) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.insert(call.scope_key(writes), authorization);
    }

    fn forget(&self, call: &Call<'_>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.remove(&call.scope_key(call.writes()));
        shown.remove(&call.scope_key(true));
    }
}

/// Returns whether the registry no longer accepts the token. GHCR says so without a challenge.
fn is_token_rejected(shown: Option<&HeaderValue>, response: &Response<Bytes>) -> bool {
    let bearer = shown.is_some_and(|value| value.as_bytes().starts_with(b"Bearer "));
    let words = || String::from_utf8_lossy(response.body()).contains("invalid token");
    bearer && response.status() == StatusCode::FORBIDDEN && words()
}

impl Call<'_> {
    /// Returns the scope as a key: requests with the same key can share a token.
    fn scope_key(&self, writes: bool) -> String {
        let also = self.pull_scope.map(|also| format!(" {}", also.path())).unwrap_or_default();
        format!("{} {}{also}", if writes { "push" } else { "pull" }, self.repository.path())
    }

    /// Returns whether the request needs write permission: even reading the status of an upload does.
    fn writes(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD) || self.url.contains("/blobs/upload")
    }
}
