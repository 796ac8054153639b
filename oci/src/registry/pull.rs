//! Pulls blobs from a registry, into memory or into a spool as they arrive.

use std::io::Write as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, LOCATION, RANGE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};

use cutover_net::{self, Body, TransportError};
use cutover_rollout::model::{Digest, Repository};

use super::client::{ATTEMPTS, Call, LOGINS, Registry};
use super::{RegistryError, SpoolWriter};

/// The time limit for a response's headers, and for each piece of its body.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most redirects to follow: registries keep blobs elsewhere.
const REDIRECTS: usize = 5;

/// A destination for a blob's bytes.
trait Sink {
    /// Adds the next piece.
    fn take(&mut self, piece: &[u8]) -> Result<(), RegistryError>;
}

impl Sink for BytesMut {
    fn take(&mut self, piece: &[u8]) -> Result<(), RegistryError> {
        self.extend_from_slice(piece);
        Ok(())
    }
}

impl Sink for SpoolWriter {
    fn take(&mut self, piece: &[u8]) -> Result<(), RegistryError> {
        self.write_all(piece).map_err(|error| RegistryError::Content(error.to_string()))
    }
}

/// A requested blob.
struct BlobRequest<'a> {
    repository: &'a Repository,
    digest: &'a Digest,
    size: u64,
}

impl Registry {
    /// Returns a small blob, such as a configuration, of exactly `size` bytes.
    ///
    /// # Errors
    /// Fails if the registry does not have the blob, or the content does not match its digest.
    pub async fn blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
    ) -> Result<Bytes, RegistryError> {
        let mut bytes = BytesMut::new();
        self.pull(&BlobRequest { repository, digest, size }, &mut bytes).await?;
        Ok(bytes.freeze())
    }

    /// Writes a blob to `spool` as it arrives, and resumes where an interrupted response stopped. Readers of
    /// the spool see its end only once the digest has been verified.
    ///
    /// # Errors
    /// Fails like [`Registry::blob`], or if the spool cannot be written; readers of the spool get the error,
    /// too.
    pub async fn pull_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
        mut spool: SpoolWriter,
    ) -> Result<(), RegistryError> {
        match self.pull(&BlobRequest { repository, digest, size }, &mut spool).await {
            Ok(()) => {
                spool.finish(digest.clone());
                Ok(())
            }
            Err(error) => {
                spool.fail(error.to_string());
                Err(error)
            }
        }
    }

    async fn pull(
        &self,
        wanted: &BlobRequest<'_>,
        sink: &mut impl Sink,
    ) -> Result<(), RegistryError> {
        let attempted = format!("read {} of {}", wanted.digest.short(), wanted.repository);
        let mut waits = cutover_net::delays(ATTEMPTS, wanted.size);
        let (mut has, mut hash) = (0, Sha256::new());
        while let Err(error) = self.resume_pull(wanted, &attempted, &mut has, &mut hash, sink).await
        {
            match waits.next() {
                Some(wait) if error.is_transient() => self.wait(&error, wait).await,
                _ => return Err(error),
            }
        }
        let came = Digest::from_sha256(&hash.finalize());
        if came == *wanted.digest {
            return Ok(());
        }
        Err(RegistryError::Digest {
            attempted,
            stored: came.to_string(),
            sent: wanted.digest.to_string(),
        })
    }

    /// Reads all that is still missing, from one response.
    async fn resume_pull(
        &self,
        wanted: &BlobRequest<'_>,
        attempted: &str,
        has: &mut u64,
        hash: &mut Sha256,
        sink: &mut impl Sink,
    ) -> Result<(), RegistryError> {
        let path = format!("blobs/{}", wanted.digest);
        let mut call = self.call(Method::GET, wanted.repository, &path, attempted.to_owned());
        if *has > 0 {
            let range = HeaderValue::from_str(&format!("bytes={has}-"));
            call.headers.extend(range.ok().map(|range| (RANGE, range)));
        }
        let response = self.open(&mut call).await?;
        // A registry that ignores ranges starts from the beginning.
        let mut known = if response.status() == StatusCode::PARTIAL_CONTENT { 0 } else { *has };
        let mut body = response.into_body();
        while let Some(frame) = self.with_timeout(&call, body.frame()).await? {
            let frame = frame.map_err(|error| self.cut(&call, &error.to_string()))?;
            let Ok(mut piece) = frame.into_data() else { continue };
            let skipped = piece.split_to(known.min(piece.len() as u64) as usize);
            known -= skipped.len() as u64;
            *has += piece.len() as u64;
            if *has > wanted.size {
                let what = format!("it sends more than the descriptor's {} bytes", wanted.size);
                return Err(self.protocol_error(&call, what));
            }
            hash.update(&piece);
            sink.take(&piece)?;
        }
        if *has < wanted.size {
            return Err(self.cut(&call, "the response ended early"));
        }
        Ok(())
    }

    /// Sends a GET, with authorization and redirects to wherever the registry keeps its blobs. Returns as
    /// soon as the headers arrive. Other hosts get no credentials.
    async fn open(&self, call: &mut Call<'_>) -> Result<Response<Body>, RegistryError> {
        let mut asked = 0;
        for _ in 0..=REDIRECTS + LOGINS {
            let ours = self.endpoint.covers(&call.url);
            let shown = if ours { self.authorization(call) } else { None };
            let response = self.begin(call, shown.clone()).await?;
            match response.status() {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => return Ok(response),
                status if status.is_redirection() => {
                    let next = response.headers().get(LOCATION).and_then(|l| l.to_str().ok());
                    call.url =
                        next.and_then(|next| self.endpoint.resolve(next)).ok_or_else(|| {
                            self.protocol_error(call, "its redirect has no usable `Location`")
                        })?;
                }
                _ => {
                    let response = self.collected(call, response).await?;
                    if ours
                        && asked < LOGINS
                        && self.requires_login(call, &response, shown.as_ref())
                    {
                        asked += 1;
                        self.log_in(call, &response, shown.as_ref()).await?;
                        continue;
                    }
                    return Err(RegistryError::refused(
                        &call.attempted,
                        call.repository,
                        &response,
                    ));
                }
            }
        }
        Err(self.protocol_error(call, "it redirects too often"))
    }

    async fn begin(
        &self,
        call: &Call<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Response<Body>, RegistryError> {
        let mut request = Request::new(cutover_net::empty());
        *request.uri_mut() = call
            .url
            .parse()
            .map_err(|_| self.protocol_error(call, "it returned an invalid URL"))?;
        request.headers_mut().extend(call.headers.iter().cloned());
        let authorization = authorization.map(|value| (AUTHORIZATION, value));
        request.headers_mut().extend::<Option<(HeaderName, HeaderValue)>>(authorization);
        self.with_timeout(call, self.net.transport.send(request)).await?.map_err(|source| {
            RegistryError::Transport { attempted: call.attempted.clone(), source }
        })
    }

    /// Reads an error response, which is small.
    async fn collected(
        &self,
        call: &Call<'_>,
        response: Response<Body>,
    ) -> Result<Response<Bytes>, RegistryError> {
        let (head, body) = response.into_parts();
        let body = self.with_timeout(call, body.collect()).await?;
        let body = body.map_err(|error| self.cut(call, &error.to_string()))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    async fn with_timeout<T>(
        &self,
        call: &Call<'_>,
        work: impl Future<Output = T>,
    ) -> Result<T, RegistryError> {
        tokio::time::timeout(PATIENCE, work).await.map_err(|_| RegistryError::Transport {
            attempted: call.attempted.clone(),
            source: TransportError::Timeout { host: self.endpoint.host().to_owned() },
        })
    }

    fn cut(&self, call: &Call<'_>, cause: &str) -> RegistryError {
        let (host, cause) = (self.endpoint.host().to_owned(), cause.to_owned());
        RegistryError::Transport {
            attempted: call.attempted.clone(),
            source: TransportError::Other { host, cause },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use http_body_util::{BodyExt, Full, StreamBody};
    use jiff::Timestamp;
    use tower::service_fn;

    use super::*;
    use crate::registry::{Credentials, Endpoint, Spool};
    use cutover_net::{BoxError, Clock, Net, Transport};

    const CONTENT: &[u8] = b"some bytes of a layer";

    /// A registry that redirects to another host, whose responses may break off.
    #[derive(Default)]
    struct State {
        content: &'static [u8],
        log: Vec<String>,
        /// The responses end after this many bytes.
        breaks: Vec<usize>,
        /// Whether it ignores ranges.
        rangeless: bool,
    }

    fn answer(state: &mut State, request: &Request<Body>) -> Response<Body> {
        let header = |name: &str| request.headers().get(name).map(|v| v.to_str().unwrap());
        let shown = header("authorization").unwrap_or("-");
        let (host, range) = (request.uri().host().unwrap(), header("range").unwrap_or("-"));
        state.log.push(format!("{host} {shown} {range}"));
        let respond = |status: u16| Response::builder().status(status);
        match (host, shown) {
            ("ghcr.io", "-") => respond(401)
                .header("www-authenticate", "Basic realm=\"r\"")
                .body(cutover_net::empty()),
            ("ghcr.io", _) => respond(307)
                .header("location", "https://cdn.example/b?sig=1")
                .body(cutover_net::empty()),
            _ => {
                let from = range.trim_start_matches("bytes=").trim_end_matches('-').parse().ok();
                let from = from.filter(|_| !state.rangeless);
                let rest = &state.content[from.unwrap_or(0)..];
                let whole = Full::new(Bytes::from_static(rest)).map_err(|never| match never {});
                let body = match state.breaks.pop() {
                    None => whole.boxed(),
                    Some(after) => {
                        let pieces: [Result<_, BoxError>; 2] = [
                            Ok(http_body::Frame::data(Bytes::from_static(&rest[..after]))),
                            Err("reset".into()),
                        ];
                        let pieces = futures_util::stream::iter(pieces);
                        BodyExt::boxed(StreamBody::new(pieces))
                    }
                };
                respond(if from.is_some() { 206 } else { 200 }).body(body)
            }
        }
        .unwrap()
    }

    async fn pulled(state: State) -> (Result<(), RegistryError>, Result<Bytes, String>, State) {
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        let service = service_fn(move |request| {
            let response = answer(&mut shared.lock().unwrap(), &request);
            async move { Ok::<_, Infallible>(response) }
        });
        let clock = Clock::virtual_from(Timestamp::UNIX_EPOCH);
        let net = Net { transport: Transport::from_service(service), clock };
        let me = Credentials::Basic { user: "me".to_owned(), password: "pw".to_owned() };
        let registry = Registry::new(net, Endpoint::of_host("ghcr.io").unwrap(), me);
        let repository = "ghcr.io/acme/base".parse().unwrap();
        let (writer, spool) = Spool::create().unwrap();
        let size = CONTENT.len() as u64;
        let done = registry.pull_blob(&repository, &Digest::of(CONTENT), size, writer).await;
        let read = spool.body(0).collect().await;
        let read = read.map(|all| all.to_bytes()).map_err(|error| error.to_string());
        let state = std::mem::take(&mut *state.lock().unwrap());
        (done, read, state)
    }

    #[tokio::test(start_paused = true)]
    async fn an_interrupted_pull_resumes_and_another_host_gets_no_credentials() {
        for rangeless in [false, true] {
            let state =
                State { content: CONTENT, breaks: vec![3, 5], rangeless, ..State::default() };
            let (done, read, state) = pulled(state).await;
            done.unwrap();
            assert_eq!(read.unwrap(), CONTENT);
            let ours = "ghcr.io Basic bWU6cHc=";
            let second = if rangeless { "bytes=5-" } else { "bytes=8-" };
            let log = [
                "ghcr.io - -".to_owned(),
                format!("{ours} -"),
                "cdn.example - -".to_owned(),
                format!("{ours} bytes=5-"),
                "cdn.example - bytes=5-".to_owned(),
                format!("{ours} {second}"),
                format!("cdn.example - {second}"),
            ];
            assert_eq!(state.log, log);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn content_with_another_digest_is_rejected() {
        let state = State { content: b"some other of a layer", ..State::default() };
        let (done, read, _) = pulled(state).await;
        assert!(matches!(done, Err(RegistryError::Digest { .. })), "{done:?}");
        assert!(read.is_err(), "nobody sees its end");
        let state = State { content: b"more bytes than the descriptor says", ..State::default() };
        let (done, read, _) = pulled(state).await;
        assert!(matches!(done, Err(RegistryError::Protocol { .. })), "{done:?}");
        assert!(read.is_err());
    }
}
