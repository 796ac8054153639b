//! The only seam between cutover and the outside: an HTTP service.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Empty, Full, combinators::BoxBody};
use reqwest::Certificate;
use tower::util::{BoxCloneSyncService, ServiceExt};
use tower::{Service, service_fn};

use super::TransportError;
use super::roots::Roots;

/// Any error of a library.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request or response: whole or streamed.
pub type Body = BoxBody<Bytes, BoxError>;

/// Returns a body of these bytes.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// Returns an empty body.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

/// The time limit to open a connection: well within the five seconds that a change may take as a whole.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Where all outgoing HTTP requests go: the network or the lab.
///
/// It sends a request once, follows no redirects and has no timeout for the response: retries, redirects and
/// timeouts are up to the caller.
#[derive(Clone)]
pub struct Transport {
    service: BoxCloneSyncService<Request<Body>, Response<Body>, TransportError>,
}

impl Transport {
    /// Returns the real network: TLS with the system's roots and those that the environment and Docker's
    /// `certs.d` add, and the environment's proxies except for addresses on this machine.
    ///
    /// # Errors
    /// Fails if TLS or the proxy settings cannot be set up.
    pub fn network() -> Result<Transport, TransportError> {
        Transport::with_roots(&Roots::find(|name| std::env::var(name).ok())?)
    }

    fn with_roots(roots: &Roots) -> Result<Transport, TransportError> {
        let trusting = |more: Vec<Certificate>| {
            let all = roots.everywhere.iter().cloned().chain(more);
            reqwest::Client::builder().tls_certs_merge(all)
        };
        let proxied = client(trusting(Vec::new()))?;
        let direct = client(trusting(Vec::new()).no_proxy())?;
        let own: BTreeMap<_, _> = roots
            .by_host
            .iter()
            .map(|(host, more)| {
                let near = bypasses_proxy(&host.parse().unwrap_or_default());
                let client = more.clone().and_then(|more| {
                    let builder = trusting(more);
                    client(if near { builder.no_proxy() } else { builder })
                });
                (host.clone(), client)
            })
            .collect();
        Ok(Transport::new(service_fn(move |request: Request<Body>| {
            let host = host_of(&request);
            let near =
                || if bypasses_proxy(request.uri()) { direct.clone() } else { proxied.clone() };
            let client = own.get(&host.to_ascii_lowercase()).cloned().unwrap_or_else(|| Ok(near()));
            async move {
                let client = client?;
                let failed = |error: reqwest::Error| TransportError::of_reqwest(&host, &error);
                let request = request.map(reqwest::Body::wrap).try_into().map_err(failed)?;
                let response: Response<reqwest::Body> =
                    client.execute(request).await.map_err(failed)?.into();
                Ok(response.map(|body| body.map_err(BoxError::from).boxed()))
            }
        })))
    }

    /// Uses any HTTP service: the lab's in-process transport, or a test's function.
    pub fn from_service<S, B>(service: S) -> Transport
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
        B::Error: Into<BoxError>,
    {
        let service = service
            .map_response(|response: Response<B>| {
                response.map(|body| body.map_err(Into::into).boxed())
            })
            .map_err(|error: S::Error| {
                TransportError::new("the in-process service", error.into().as_ref())
            });
        Transport::new(service)
    }

    fn new<S>(service: S) -> Transport
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = TransportError>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Transport { service: BoxCloneSyncService::new(service) }
    }

    /// Sends `request` once and returns as soon as the response's headers arrive.
    ///
    /// # Errors
    /// Fails if there is no response. A response with any status is a response.
    pub fn send(
        &self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Body>, TransportError>> + Send + 'static {
        self.service.clone().oneshot(request)
    }

    /// Sends `request` once and reads the whole response.
    ///
    /// # Errors
    /// Fails if there is no response, or only a part of it.
    pub async fn send_bytes(
        &self,
        request: Request<Body>,
    ) -> Result<Response<Bytes>, TransportError> {
        let host = host_of(&request);
        let (head, body) = self.send(request).await?.into_parts();
        let body =
            body.collect().await.map_err(|error| TransportError::new(&host, error.as_ref()))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

fn client(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, TransportError> {
    builder
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        // Shorter than AWS's idle timeout, so that no change is sent over a connection that is being closed.
        .pool_idle_timeout(Duration::from_secs(15))
        .build()
        .map_err(|error| TransportError::of_setup(&error))
}

/// Returns whether the host is this machine or answers only to it, as a lab or the instance metadata service
/// does: no proxy can reach those, nor should it see their traffic.
fn bypasses_proxy(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unicast_link_local(),
        Err(_) => host == "localhost",
    }
}

fn host_of(request: &Request<Body>) -> String {
    request.uri().authority().map_or_else(|| "the server".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[tokio::test]
    async fn a_service_answers_in_the_networks_place() {
        let echo = Transport::from_service(service_fn(|request: Request<Body>| async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            Ok::<_, Infallible>(Response::new(Full::new(body)))
        }));
        let request = Request::post("http://lab/x").body(full("hello")).unwrap();
        assert_eq!(echo.send_bytes(request).await.unwrap().into_body(), "hello");
    }

    #[test]
    fn what_is_on_this_machine_needs_no_proxy() {
        let near = |uri: &'static str| bypasses_proxy(&Uri::from_static(uri));
        assert!(near("http://127.0.0.1:4566/") && near("http://[::1]:80/"));
        assert!(near("http://localhost/") && near("http://169.254.169.254/latest"));
        assert!(!near("https://10.0.0.1/") && !near("https://ssm.eu-central-1.amazonaws.com/"));
    }

    #[tokio::test]
    async fn a_refused_connection_is_told_without_the_query() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let request =
            Request::get(format!("http://{address}/?token=s3cret")).body(empty()).unwrap();
        let error = Transport::network().unwrap().send(request).await.unwrap_err();
        assert!(
            matches!(&error, TransportError::Connect { host, .. } if *host == address.to_string())
        );
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}
