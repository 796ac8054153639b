//! Blobs out of a registry: into memory, or as they come into a spool.

use std::io::Write as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, LOCATION, RANGE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};

use crate::model::{Digest, Repository};
use crate::net::{self, Body, TransportError};

use super::client::{ATTEMPTS, Call, LOGINS, Registry};
use super::{RegistryError, SpoolWriter};

/// How long the head of an answer, or the next piece of its body, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often an answer may name another place: registries keep blobs elsewhere.
const REDIRECTS: usize = 5;

/// A place for what comes.
trait Sink {
    /// Takes the next piece.
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
        self.write_all(piece).map_err(|error| RegistryError::Source(error.to_string()))
    }
}

/// A blob that is asked for.
struct Wanted<'a> {
    repository: &'a Repository,
    digest: &'a Digest,
    size: u64,
}

impl Registry {
    /// A small blob, such as a configuration, of exactly `size` bytes.
    ///
    /// # Errors
    /// Where the registry doesn't have it, or it isn't what its digest says.
    pub async fn blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
    ) -> Result<Bytes, RegistryError> {
        let mut bytes = BytesMut::new();
        self.pull(&Wanted { repository, digest, size }, &mut bytes).await?;
        Ok(bytes.freeze())
    }

    /// Writes a blob into `spool` as it comes; what breaks off goes on where it stopped. Whoever
    /// reads the spool sees its end only once the digest has been found right.
    ///
    /// # Errors
    /// As [`Registry::blob`], or where the spool takes no more; readers of the spool see that, too.
    pub async fn pull_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
        mut spool: SpoolWriter,
    ) -> Result<(), RegistryError> {
        match self.pull(&Wanted { repository, digest, size }, &mut spool).await {
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

    async fn pull(&self, wanted: &Wanted<'_>, sink: &mut impl Sink) -> Result<(), RegistryError> {
        let attempted = format!("read {} of {}", wanted.digest.short(), wanted.repository);
        let mut waits = net::delays(ATTEMPTS, wanted.size);
        let (mut has, mut hash) = (0, Sha256::new());
        while let Err(error) = self.pull_on(wanted, &attempted, &mut has, &mut hash, sink).await {
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

    /// All that is still missing, in one answer.
    async fn pull_on(
        &self,
        wanted: &Wanted<'_>,
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
        // One that takes no ranges begins anew.
        let mut known = if response.status() == StatusCode::PARTIAL_CONTENT { 0 } else { *has };
        let mut body = response.into_body();
        while let Some(frame) = self.in_time(&call, body.frame()).await? {
            let frame = frame.map_err(|error| self.cut(&call, &error.to_string()))?;
            let Ok(mut piece) = frame.into_data() else { continue };
            let skipped = piece.split_to(known.min(piece.len() as u64) as usize);
            known -= skipped.len() as u64;
            *has += piece.len() as u64;
            if *has > wanted.size {
                let what =
                    format!("it sends more than the {} bytes of its descriptor", wanted.size);
                return Err(self.protocol(&call, what));
            }
            hash.update(&piece);
            sink.take(&piece)?;
        }
        if *has < wanted.size {
            return Err(self.cut(&call, "the answer ended too early"));
        }
        Ok(())
    }

    /// The answer to a GET as soon as its head is there: authorised, and followed to wherever the
    /// registry keeps its blobs. Other hosts see no credentials.
    async fn open(&self, call: &mut Call<'_>) -> Result<Response<Body>, RegistryError> {
        let mut asked = 0;
        for _ in 0..=REDIRECTS + LOGINS {
            let ours = self.endpoint.covers(&call.url);
            let shown = if ours { self.shown(call) } else { None };
            let response = self.begin(call, shown.clone()).await?;
            match response.status() {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => return Ok(response),
                status if status.is_redirection() => {
                    let next = response.headers().get(LOCATION).and_then(|l| l.to_str().ok());
                    call.url = next
                        .and_then(|next| self.endpoint.resolve(next))
                        .ok_or_else(|| self.protocol(call, "it names no usable Location"))?;
                }
                _ => {
                    let response = self.collected(call, response).await?;
                    if ours && asked < LOGINS && self.asks(call, &response, shown.as_ref()) {
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
        Err(self.protocol(call, "it sends us from one place to another"))
    }

    async fn begin(
        &self,
        call: &Call<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Response<Body>, RegistryError> {
        let mut request = Request::new(net::empty());
        *request.uri_mut() =
            call.url.parse().map_err(|_| self.protocol(call, "it gave a broken URL"))?;
        request.headers_mut().extend(call.headers.iter().cloned());
        let authorization = authorization.map(|value| (AUTHORIZATION, value));
        request.headers_mut().extend::<Option<(HeaderName, HeaderValue)>>(authorization);
        self.in_time(call, self.net.transport.send(request)).await?.map_err(|source| {
            RegistryError::Transport { attempted: call.attempted.clone(), source }
        })
    }

    /// An answer that says no: small.
    async fn collected(
        &self,
        call: &Call<'_>,
        response: Response<Body>,
    ) -> Result<Response<Bytes>, RegistryError> {
        let (head, body) = response.into_parts();
        let body = self.in_time(call, body.collect()).await?;
        let body = body.map_err(|error| self.cut(call, &error.to_string()))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    async fn in_time<T>(
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
    use crate::net::{BoxError, Clock, Net, Transport};
    use crate::registry::{Credentials, Endpoint, Spool};

    const CONTENT: &[u8] = b"some bytes of a layer";

    /// A registry that keeps its blobs on another host, which may break off.
    #[derive(Default)]
    struct State {
        content: &'static [u8],
        log: Vec<String>,
        /// So many bytes come, and then nothing.
        breaks: Vec<usize>,
        /// It begins anew whatever is asked for.
        rangeless: bool,
    }

    fn answer(state: &mut State, request: &Request<Body>) -> Response<Body> {
        let header = |name: &str| request.headers().get(name).map(|v| v.to_str().unwrap());
        let shown = header("authorization").unwrap_or("-");
        let (host, range) = (request.uri().host().unwrap(), header("range").unwrap_or("-"));
        state.log.push(format!("{host} {shown} {range}"));
        let respond = |status: u16| Response::builder().status(status);
        match (host, shown) {
            ("ghcr.io", "-") => {
                respond(401).header("www-authenticate", "Basic realm=\"r\"").body(net::empty())
            }
            ("ghcr.io", _) => {
                respond(307).header("location", "https://cdn.example/b?sig=1").body(net::empty())
            }
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
    async fn what_breaks_off_goes_on_and_another_host_sees_no_credentials() {
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
    async fn other_bytes_than_were_named_are_no_blob() {
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
