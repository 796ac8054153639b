//! One request and its answer: authentication, time limit, repetition.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use crate::model::Repository;
use crate::net::{self, Body, Net, TransportError};

use super::{Credentials, Endpoint, RegistryError, Renewal, Spool, Written, auth};

/// How often something is attempted that may well succeed in a moment, over some ten seconds: a
/// registry's restart. All requests may be repeated: content goes in under its digest.
pub(super) const ATTEMPTS: usize = 6;

/// As nobody or with a login that has ended, then as who we are, then by a new login.
pub(super) const LOGINS: usize = 2;

/// However long a registry asks to be left alone, we ask again after this.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A registry, and who we are to it.
#[derive(Debug, Clone)]
pub struct Registry {
    pub(super) net: Net,
    pub(super) endpoint: Endpoint,
    credentials: Arc<Mutex<Credentials>>,
    renewal: Option<Renewal>,
    /// The `Authorization` that is shown, by what it reaches, since the registry asked for it.
    shown: Arc<Mutex<BTreeMap<String, HeaderValue>>>,
}

/// A request before it is authorised.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub(super) repository: &'a Repository,
    /// A repository that is read besides: what is shown must let us do that, too.
    pub(super) also: Option<&'a Repository>,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Payload,
    /// What is attempted, after "cannot", for messages.
    pub(super) attempted: String,
}

/// How sending a request once ended.
#[derive(Debug)]
pub(super) enum Exchange {
    /// By an answer; it may say no.
    Answered(Response<Bytes>),
    /// The registry asked who we are, and what it wants is shown from now on: the same request may
    /// succeed. This is how it refused this one.
    LoggedIn(RegistryError),
}

/// What a request carries. It can be sent again: with other credentials, or after a break.
#[derive(Debug, Clone)]
pub(super) enum Payload {
    Bytes(Bytes),
    /// All of a spool from this place on, while it is written.
    Spool(Spool, u64),
    /// Nothing, after so many bytes: the registry may read them all again before it answers.
    Sent(u64),
}

impl Payload {
    /// Of a request that only asks.
    pub(super) fn nothing() -> Payload {
        Payload::Bytes(Bytes::new())
    }

    fn body(&self) -> Body {
        match self {
            Payload::Bytes(bytes) => net::full(bytes.clone()),
            Payload::Spool(spool, offset) => spool.body(*offset),
            Payload::Sent(_) => net::empty(),
        }
    }

    /// Sleeps for as long as an answer may take: half a minute to think, and time for the content at
    /// 256 KiB a second. Content that is still written, or taken, has all the time there is.
    async fn patience(&self) {
        const BYTES_A_SECOND: u64 = 256 * 1024;
        const READ_AGAIN: u64 = 16 << 20;
        let sleep = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        match self {
            Payload::Bytes(bytes) => sleep(30 + bytes.len() as u64 / BYTES_A_SECOND).await,
            Payload::Sent(size) => sleep(30 + size / READ_AGAIN).await,
            Payload::Spool(spool, _) => loop {
                let taken = spool.taken();
                sleep(60).await;
                if !matches!(spool.written(), Written::Some(_)) && spool.taken() == taken {
                    return;
                }
            },
        }
    }
}

impl Registry {
    /// The registry at `endpoint`. Nothing is sent yet.
    pub fn new(net: Net, endpoint: Endpoint, credentials: Credentials) -> Registry {
        let credentials = Arc::new(Mutex::new(credentials));
        Registry { net, endpoint, credentials, renewal: None, shown: Arc::default() }
    }

    /// The same, which asks for new credentials where the registry doesn't take what it was shown.
    #[must_use]
    pub fn renewed_by(self, renewal: Renewal) -> Registry {
        Registry { renewal: Some(renewal), ..self }
    }

    /// The same registry, for nobody in particular.
    #[must_use]
    pub fn anonymously(&self) -> Registry {
        Registry::new(self.net.clone(), self.endpoint.clone(), Credentials::Anonymous)
    }

    /// Whether we have no login for it.
    pub fn is_nobodys(&self) -> bool {
        self.renewal.is_none() && matches!(self.credentials(), Credentials::Anonymous)
    }

    /// Where it answers.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// A request to `/v2/<repository>/<path>`.
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
            also: None,
            method,
            url,
            headers: Vec::new(),
            body: Payload::nothing(),
            attempted,
        }
    }

    /// Sends `call` until it is answered by something that won't change by itself. Any status that
    /// isn't transient is an answer.
    pub(super) async fn ask(&self, call: &Call<'_>) -> Result<Response<Bytes>, RegistryError> {
        self.repeated(&call.url, || self.ask_once(call)).await
    }

    /// Attempts `operation` a few times, as long as its failure looks transient.
    pub(super) async fn repeated<T, F, Fut>(
        &self,
        name: &str,
        operation: F,
    ) -> Result<T, RegistryError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, RegistryError>>,
    {
        // The jitter only has to differ between requests; from the name, a run can be repeated.
        let seed = name.bytes().fold(0_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(b.into()));
        let mut waits = net::delays(ATTEMPTS, seed);
        loop {
            match (operation().await, waits.next()) {
                (Err(error), Some(wait)) if error.is_transient() => self.wait(&error, wait).await,
                (result, _) => return result,
            }
        }
    }

    /// Waits before the next attempt: `wait`, or as long as the registry asks for.
    pub(super) async fn wait(&self, error: &RegistryError, wait: Duration) {
        let asked = error.retry_after().unwrap_or_default().min(LONGEST_WAIT);
        tracing::debug!(%error, "trying again");
        self.net.clock.sleep(wait.max(asked)).await;
    }

    /// Sends `call`, and again where the registry asks who we are.
    pub(super) async fn ask_once(&self, call: &Call<'_>) -> Result<Response<Bytes>, RegistryError> {
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

    /// Sends `call` once. Where the registry asks who we are, logs in for the next time.
    pub(super) async fn exchange(&self, call: &Call<'_>) -> Result<Exchange, RegistryError> {
        let ours = self.endpoint.covers(&call.url);
        let shown = if ours { self.shown(call) } else { None };
        let response = self.send(call, shown.clone()).await?;
        if !ours || !self.asks(call, &response, shown.as_ref()) {
            return Ok(Exchange::Answered(response));
        }
        self.log_in(call, &response, shown.as_ref()).await.map(Exchange::LoggedIn)
    }

    /// Shows the registry more than was `shown`, from the next request on; gives the refusal that is
    /// over with it.
    ///
    /// # Errors
    /// The same where there is nothing else to show.
    pub(super) async fn log_in(
        &self,
        call: &Call<'_>,
        response: &Response<Bytes>,
        shown: Option<&HeaderValue>,
    ) -> Result<RegistryError, RegistryError> {
        let refused = || RegistryError::refused(&call.attempted, call.repository, response);
        if is_no_token(shown, response) {
            // Without one it will say where there are others.
            self.forget(call);
            return Ok(refused());
        }
        let answer = match response.status() {
            StatusCode::UNAUTHORIZED => auth::answer(self, call, response, shown).await?,
            _ => self.basic(call, shown).await?,
        };
        match answer {
            Some(answer) if Some(&answer) != shown => {
                // What is good for a push is good for all that we do.
                let challenges = response.headers().get_all(WWW_AUTHENTICATE);
                let push = |value: &HeaderValue| value.to_str().is_ok_and(|c| c.contains("push"));
                self.show(call, call.writes() || challenges.iter().any(push), answer);
                Ok(refused())
            }
            _ if matches!(self.credentials(), Credentials::Anonymous) => {
                Err(refused().for_nobody(call.repository))
            }
            _ => Err(refused()),
        }
    }

    /// Whether the registry asks who we are, now or again.
    pub(super) fn asks(
        &self,
        call: &Call<'_>,
        response: &Response<Bytes>,
        shown: Option<&HeaderValue>,
    ) -> bool {
        response.status() == StatusCode::UNAUTHORIZED
            || self.has_ended(call, response, shown)
            || is_no_token(shown, response)
    }

    /// Whether this says that the login has ended. ECR, which takes Basic, answers 403 then, without a
    /// challenge; to a HEAD without any words, so that another reason cannot be told from it.
    fn has_ended(
        &self,
        call: &Call<'_>,
        response: &Response<Bytes>,
        shown: Option<&HeaderValue>,
    ) -> bool {
        let basic = || shown.is_some_and(|value| value.as_bytes().starts_with(b"Basic "));
        let told = || {
            let words = String::from_utf8_lossy(response.body());
            words.contains("token has expired") || call.method == Method::HEAD
        };
        self.renewal.is_some() && response.status() == StatusCode::FORBIDDEN && basic() && told()
    }

    /// The `Authorization` of the credentials: others than those that were shown, if there are any.
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

    /// The bare exchange, within a time that suits the body.
    pub(super) async fn send(
        &self,
        call: &Call<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Response<Bytes>, RegistryError> {
        let failed =
            |source| RegistryError::Transport { attempted: call.attempted.clone(), source };
        let mut request = Request::new(call.body.body());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() =
            call.url.parse().map_err(|_| self.protocol(call, "it gave a broken URL"))?;
        request.headers_mut().extend(call.headers.iter().cloned());
        if let Some(authorization) = authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        tokio::select! {
            answer = self.net.transport.send_bytes(request) => answer.map_err(failed),
            () = call.body.patience() => {
                Err(failed(TransportError::Timeout { host: self.endpoint.host().to_owned() }))
            }
        }
    }

    pub(super) fn credentials(&self) -> Credentials {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An answer that isn't the protocol's.
    pub(super) fn protocol(&self, call: &Call<'_>, what: impl Into<String>) -> RegistryError {
        RegistryError::Protocol {
            attempted: call.attempted.clone(),
            what: what.into(),
            url: self.endpoint.to_string(),
        }
    }

    pub(super) fn shown(&self, call: &Call<'_>) -> Option<HeaderValue> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        // Who we are holds for everything, a token for what it was given for: who may write may read.
        let basic = || shown.values().find(|value| value.as_bytes().starts_with(b"Basic "));
        let found = shown.get(&call.reach(call.writes()));
        found.or_else(|| shown.get(&call.reach(true))).or_else(basic).cloned()
    }

    fn show(&self, call: &Call<'_>, writes: bool, authorization: HeaderValue) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.insert(call.reach(writes), authorization);
    }

    fn forget(&self, call: &Call<'_>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.remove(&call.reach(call.writes()));
        shown.remove(&call.reach(true));
    }
}

/// Whether the registry no longer knows the token that was `shown`. GHCR says that without a challenge.
fn is_no_token(shown: Option<&HeaderValue>, response: &Response<Bytes>) -> bool {
    let bearer = shown.is_some_and(|value| value.as_bytes().starts_with(b"Bearer "));
    let words = || String::from_utf8_lossy(response.body()).contains("invalid token");
    bearer && response.status() == StatusCode::FORBIDDEN && words()
}

impl Call<'_> {
    /// What it reaches: one text for all requests that the same token is good for.
    fn reach(&self, writes: bool) -> String {
        let also = self.also.map(|also| format!(" {}", also.path())).unwrap_or_default();
        format!("{} {}{also}", if writes { "push" } else { "pull" }, self.repository.path())
    }

    /// Whether it takes the right to write: uploads do even to be looked at.
    fn writes(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD) || self.url.contains("/blobs/upload")
    }
}
