//! Faults between cutover and Docker's registry, in which nothing corrupt is ever tagged: the
//! registry is real, the faults are injected into its requests and responses.

#![allow(clippy::unwrap_used, clippy::panic)] // test helpers do not count as tests

mod support {
    pub(crate) mod registry;
}

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cutover_net::{Body, BoxError, Clock, Net, Transport, full};
use cutover_oci::registry::{
    Blob, Credentials, Endpoint, Image, Registry, RegistryError, Renewal, Spool,
};
use cutover_rollout::model::{Digest, Repository};
use futures_util::stream;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use support::registry::Served;

/// What becomes of an intercepted request: it is sent as it is, or changed, or answered at once.
enum Intercepted {
    Sent(Request<Body>),
    Answered(Response<Body>),
}

type RequestFilter = Arc<dyn Fn(Request<Body>) -> Intercepted + Send + Sync>;
type ResponseFilter = Arc<dyn Fn(&Method, Response<Body>) -> Response<Body> + Send + Sync>;

/// Returns the registry, with its requests passed through `hand` and its responses through `after`.
fn intercepted_registry(served: &Served, before: RequestFilter, after: ResponseFilter) -> Registry {
    let network = Transport::network().unwrap();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (network, fate, after) = (network.clone(), before(request), after.clone());
        async move {
            match fate {
                Intercepted::Answered(response) => Ok::<_, BoxError>(response),
                Intercepted::Sent(request) => {
                    let method = request.method().clone();
                    let response = network.send(request).await.map_err(BoxError::from)?;
                    Ok(after(&method, response))
                }
            }
        }
    });
    let net = Net { transport: Transport::from_service(service), clock: Clock::system() };
    let endpoint: Endpoint = format!("http://127.0.0.1:{}", served.port).parse().unwrap();
    Registry::new(net, endpoint, Credentials::Anonymous)
}

fn as_it_is() -> ResponseFilter {
    Arc::new(|_, response| response)
}

fn answered(status: u16, header: (&'static str, &'static str)) -> Intercepted {
    let mut response = Response::new(full(""));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert(header.0, HeaderValue::from_static(header.1));
    Intercepted::Answered(response)
}

/// Returns more bytes than any buffer on the way holds, without repetition.
fn content() -> Vec<u8> {
    (0..1_500_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// Returns a layer whose content is complete.
fn layer() -> (Spool, Digest) {
    let (mut writer, spool) = Spool::create().unwrap();
    let content = content();
    writer.write_all(&content).unwrap();
    let digest = Digest::of(&content);
    writer.finish(digest.clone());
    (spool, digest)
}

fn image() -> Image {
    let layer = Blob::new("application/vnd.oci.image.layer.v1.tar", content());
    let config = Blob::new("application/vnd.oci.image.config.v1+json", "{}");
    let describe = |b: &Blob| serde_json::json!({ "mediaType": b.media_type, "digest": b.digest, "size": b.size() });
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": describe(&config), "layers": [describe(&layer)],
    });
    let manifest = Blob::new("application/vnd.oci.image.manifest.v1+json", manifest.to_string());
    Image { manifest, config, layers: vec![cutover_oci::image::Layer::Local(layer)], index: None }
}

/// Returns a body that breaks its connection after this many bytes.
fn cut(body: Body, after: usize) -> Body {
    let pieces = stream::unfold((body, 0), move |(mut body, sent)| async move {
        if sent >= after {
            let broken: BoxError = io::Error::from(io::ErrorKind::ConnectionReset).into();
            return Some((Err(broken), (body, usize::MAX / 2)));
        }
        let frame = body.frame().await?.unwrap();
        let size = frame.data_ref().map_or(0, Bytes::len);
        Some((Ok(frame), (body, sent + size)))
    });
    BodyExt::boxed(SyncBody(Mutex::new(Box::pin(StreamBody::new(pieces)))))
}

/// Makes a body `Sync`, as a request's must be.
struct SyncBody<B>(Mutex<std::pin::Pin<Box<B>>>);

impl<B: http_body::Body<Data = Bytes, Error = BoxError> + Send> http_body::Body for SyncBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        self.0.lock().unwrap().as_mut().poll_frame(context)
    }
}

/// Whether anything is tagged `v1`, read without interception.
async fn is_named(served: &Served, repository: &Repository) -> bool {
    let registry = served.registry(Credentials::Anonymous);
    registry.manifest_digest(repository, "v1").await.unwrap().is_some()
}

#[tokio::test]
async fn a_layer_is_sent_again_after_a_broken_connection() {
    let Some(served) = Served::start(None).await else { return };
    let patches = Arc::new(AtomicU32::new(0));
    let seen = patches.clone();
    let before: RequestFilter = Arc::new(move |request| {
        let first = request.method() == Method::PATCH && seen.fetch_add(1, Ordering::Relaxed) == 0;
        Intercepted::Sent(if first { request.map(|body| cut(body, 2_000_000)) } else { request })
    });
    let (registry, repository) =
        (intercepted_registry(&served, before, as_it_is()), served.repository());
    let (spool, digest) = layer();
    let sent = registry.upload_spool(&repository, &spool, "a layer").await.unwrap();
    assert_eq!(sent, digest);
    assert_eq!(patches.load(Ordering::Relaxed), 2);
    let plain = served.registry(Credentials::Anonymous);
    assert!(plain.has_blob(&repository, &digest).await.unwrap());
}

#[tokio::test]
async fn an_expired_login_is_renewed_during_a_push() {
    let Some(served) = Served::start(None).await else { return };
    let requests = Arc::new(AtomicU32::new(0));
    let renewed = Arc::new(AtomicU32::new(0));
    // After every third request the password changes: `0`, `1`, …
    let valid = {
        let requests = requests.clone();
        move || requests.load(Ordering::Relaxed) / 3
    };
    let count = requests.clone();
    let now_valid = valid.clone();
    let before: RequestFilter = Arc::new(move |mut request| {
        use base64::Engine as _;
        let shown = request.headers_mut().remove("authorization");
        let shown = shown.map(|value| value.to_str().unwrap().to_owned());
        let right = base64::engine::general_purpose::STANDARD.encode(format!("u:{}", now_valid()));
        if shown != Some(format!("Basic {right}")) {
            return answered(401, ("www-authenticate", "Basic realm=\"x\""));
        }
        count.fetch_add(1, Ordering::Relaxed);
        Intercepted::Sent(request)
    });
    let asked = renewed.clone();
    let renewal = Renewal::new(move || {
        asked.fetch_add(1, Ordering::Relaxed);
        let password = valid().to_string();
        async move { Ok(Credentials::Basic { user: "u".to_owned(), password }) }
    });
    let registry = intercepted_registry(&served, before, as_it_is()).with_renewal(renewal);
    let (repository, image) = (served.repository(), image());
    let (spool, digest) = layer();
    assert_eq!(registry.upload_spool(&repository, &spool, "a layer").await.unwrap(), digest);
    registry.push(&image, &repository, &["v1".to_owned()]).await.unwrap();
    assert!(renewed.load(Ordering::Relaxed) >= 3);
    let plain = served.registry(Credentials::Anonymous);
    let named = plain.manifest_digest(&repository, "v1").await.unwrap();
    assert_eq!(named.as_ref(), Some(image.digest()));
}

#[tokio::test]
async fn a_busy_or_failing_registry_is_retried() {
    let Some(served) = Served::start(None).await else { return };
    let requests = Arc::new(AtomicU32::new(0));
    let before: RequestFilter =
        Arc::new(move |request| match requests.fetch_add(1, Ordering::Relaxed) % 8 {
            1 => answered(429, ("retry-after", "1")),
            4 => answered(503, ("retry-after", "0")),
            _ => Intercepted::Sent(request),
        });
    let (registry, repository) =
        (intercepted_registry(&served, before, as_it_is()), served.repository());
    let (spool, digest) = layer();
    assert_eq!(registry.upload_spool(&repository, &spool, "a layer").await.unwrap(), digest);
    let image = image();
    registry.push(&image, &repository, &["v1".to_owned()]).await.unwrap();
    let plain = served.registry(Credentials::Anonymous);
    let named = plain.manifest_digest(&repository, "v1").await.unwrap();
    assert_eq!(named.as_ref(), Some(image.digest()));
}

/// The content is changed on its way: the registry notices, since the last request contains the
/// digest.
#[tokio::test]
async fn content_changed_in_transit_is_not_tagged() {
    let Some(served) = Served::start(None).await else { return };
    let before: RequestFilter = Arc::new(|request| {
        Intercepted::Sent(match *request.method() {
            Method::PATCH | Method::PUT if request.uri().path().contains("/blobs/") => {
                request.map(|body| {
                    body.map_frame(|frame| {
                        frame.map_data(|data| {
                            let mut data = data.to_vec();
                            if let Some(byte) = data.first_mut() {
                                *byte ^= 1;
                            }
                            Bytes::from(data)
                        })
                    })
                    .boxed()
                })
            }
            _ => request,
        })
    });
    let (registry, repository) =
        (intercepted_registry(&served, before, as_it_is()), served.repository());
    let (spool, digest) = layer();
    let refused = registry.upload_spool(&repository, &spool, "a layer").await.unwrap_err();
    assert!(matches!(refused, RegistryError::Refused { status: 400, .. }), "{refused}");
    let refused = registry.push(&image(), &repository, &["v1".to_owned()]).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Refused { status: 400, .. }), "{refused}");
    let plain = served.registry(Credentials::Anonymous);
    assert!(!plain.has_blob(&repository, &digest).await.unwrap());
    assert!(!is_named(&served, &repository).await);
}

/// The registry reports a digest other than that of what was sent.
#[tokio::test]
async fn nothing_is_tagged_if_the_registry_reports_another_digest() {
    let Some(served) = Served::start(None).await else { return };
    let after: ResponseFilter = Arc::new(|method, mut response| {
        if method == Method::PUT {
            let other = Digest::of(b"other").to_string().parse().unwrap();
            response.headers_mut().insert("docker-content-digest", other);
        }
        response
    });
    let before: RequestFilter = Arc::new(Intercepted::Sent);
    let (registry, repository) =
        (intercepted_registry(&served, before, after), served.repository());
    let lied = registry.push(&image(), &repository, &["v1".to_owned()]).await.unwrap_err();
    assert!(matches!(lied, RegistryError::Digest { .. }), "{lied}");
    assert!(lied.to_string().contains("changes content"), "{lied}");
    assert!(!is_named(&served, &repository).await);
}

#[tokio::test]
async fn a_blob_is_mounted_if_the_registry_allows_it() {
    let Some(served) = Served::start(None).await else { return };
    let registry = served.registry(Credentials::Anonymous);
    let (from, to) = (served.repository(), format!("127.0.0.1:{}/team/other", served.port));
    let to: Repository = to.parse().unwrap();
    let (spool, digest) = layer();
    registry.upload_spool(&from, &spool, "a layer").await.unwrap();

    assert!(!registry.has_blob(&to, &digest).await.unwrap());
    assert!(registry.mount(&to, &digest, &from).await.unwrap());
    assert!(registry.has_blob(&to, &digest).await.unwrap());
    let missing = Digest::of(b"nowhere");
    assert!(!registry.mount(&to, &missing, &from).await.unwrap());
    let elsewhere = "other.example/team/news".parse().unwrap();
    assert!(!registry.mount(&to, &digest, &elsewhere).await.unwrap());

    // A registry that doesn't mount starts an upload instead, which cutover cancels.
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = log.clone();
    let before: RequestFilter = Arc::new(move |request| {
        seen.lock().unwrap().push(request.method().to_string());
        let uri = request.uri().to_string();
        let uri = uri.split_once("?mount=").map_or(uri.as_str(), |(before, _)| before).to_owned();
        let (mut head, body) = request.into_parts();
        head.uri = uri.parse().unwrap();
        Intercepted::Sent(Request::from_parts(head, body))
    });
    let third: Repository = format!("127.0.0.1:{}/team/third", served.port).parse().unwrap();
    let strict = intercepted_registry(&served, before, as_it_is());
    assert!(!strict.mount(&third, &digest, &from).await.unwrap());
    assert_eq!(*log.lock().unwrap(), ["POST", "DELETE"]);
}
