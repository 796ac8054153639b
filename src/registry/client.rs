//! One request and its answer: authentication, time limit, repetition.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use crate::model::Repository;
use crate::net::{self, Body, Net, TransportError};

use super::{Credentials, Endpoint, RegistryError, Spool, auth};

/// How often something is attempted that may well succeed in a moment. All requests may be
/// repeated: content goes in under its digest.
pub(super) const ATTEMPTS: usize = 4;

/// However long a registry asks to be left alone, we ask again after this.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A registry, and who we are to it.
#[derive(Debug, Clone)]
pub struct Registry {
    pub(super) net: Net,
    pub(super) endpoint: Endpoint,
    credentials: Credentials,
    /// What each repository last accepted as `Authorization`.
    accepted: Arc<Mutex<BTreeMap<String, HeaderValue>>>,
}

/// A request before it is authorised.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub(super) repository: &'a Repository,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Payload,
    /// What is attempted, after "cannot", for messages.
    pub(super) attempted: String,
}

/// What a request carries. It can be sent again: with other credentials, or after a break.
#[derive(Debug, Clone)]
pub(super) enum Payload {
    Bytes(Bytes),
    /// All of a spool from this place on, while it is written.
    Spool(Spool, u64),
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
        }
    }

    /// Sleeps for as long as an answer may take: half a minute to think, and time for the content at
    /// 256 KiB a second, from when all of it is there.
    async fn patience(&self) {
        const BYTES_A_SECOND: u64 = 256 * 1024;
        let size = match self {
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::Spool(spool, offset) => {
                spool.all().await.map_or(0, |(size, _)| size.saturating_sub(*offset))
            }
        };
        tokio::time::sleep(Duration::from_secs(30 + size / BYTES_A_SECOND)).await;
    }
}

impl Registry {
    /// The registry at `endpoint`. Nothing is sent yet.
    pub fn new(net: Net, endpoint: Endpoint, credentials: Credentials) -> Registry {
        Registry { net, endpoint, credentials, accepted: Arc::default() }
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
        Call { repository, method, url, headers: Vec::new(), body: Payload::nothing(), attempted }
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

    /// Sends `call` once, and a second time where the registry asks who we are.
    pub(super) async fn ask_once(&self, call: &Call<'_>) -> Result<Response<Bytes>, RegistryError> {
        let ours = self.endpoint.covers(&call.url);
        let known = if ours { self.accepted(call.repository) } else { None };
        let response = self.send(call, known).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !ours {
            return Self::unless_transient(call, response);
        }
        let Some(answer) = auth::answer(self, call, &response).await? else {
            return Err(RegistryError::refused(&call.attempted, call.repository, &response));
        };
        let response = self.send(call, Some(answer.clone())).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            return Err(RegistryError::refused(&call.attempted, call.repository, &response));
        }
        self.accept(call.repository, answer);
        Self::unless_transient(call, response)
    }

    fn unless_transient(
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

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// An answer that isn't the protocol's.
    pub(super) fn protocol(&self, call: &Call<'_>, what: impl Into<String>) -> RegistryError {
        RegistryError::Protocol {
            attempted: call.attempted.clone(),
            what: what.into(),
            url: self.endpoint.to_string(),
        }
    }

    pub(super) fn accepted(&self, repository: &Repository) -> Option<HeaderValue> {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.get(repository.path()).cloned()
    }

    pub(super) fn accept(&self, repository: &Repository, authorization: HeaderValue) {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.insert(repository.path().to_owned(), authorization);
    }
}
