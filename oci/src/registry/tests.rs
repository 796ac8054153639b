//! Parts of the protocol that a well-behaved registry rarely exercises, with a small registry in memory and
//! under paused time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use jiff::Timestamp;
use tower::service_fn;

use super::*;
use cutover_net::{Body, Clock, Net, Transport};
use cutover_rollout::model::{Digest, Repository};

const HOST: &str = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com";

/// The registry's content, the requests that it received, and its next failures.
#[derive(Default)]
struct State {
    blobs: BTreeMap<String, Bytes>,
    manifests: BTreeMap<String, Bytes>,
    log: Vec<String>,
    failures: Vec<(StatusCode, &'static str)>,
    challenge: &'static str,
    /// The required `Authorization`; empty allows anonymous access.
    wanted: &'static str,
    /// The `Authorization` that the token service no longer accepts.
    ended: &'static str,
    uploads_elsewhere: bool,
}

type Shared = Arc<Mutex<State>>;

fn answer(state: &mut State, request: &Request<Bytes>) -> Response<Bytes> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let shown = request.headers().get("authorization").map_or("-", |v| v.to_str().unwrap());
    let host = request.uri().host().unwrap().to_owned();
    state.log.push(format!("{method} {host}{path} {shown}"));
    let respond = |status: u16| Response::builder().status(status);
    let say = |status: u16, body: &str| {
        respond(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
    };
    if host == "auth.example" {
        assert_eq!(query, "service=registry&scope=repository%3Anews%3Apull%2Cpush");
        return match shown == state.ended {
            true => say(401, ""),
            false => say(200, r#"{"token":"t0ken"}"#),
        };
    }
    if shown != state.wanted && !state.wanted.is_empty() && host == HOST {
        let refused = respond(401).header("www-authenticate", state.challenge);
        return refused.body(Bytes::from(r#"{"errors":[{"code":"UNAUTHORIZED"}]}"#)).unwrap();
    }
    if let Some((status, body)) = state.failures.pop() {
        return say(status.as_u16(), body);
    }
    let name = path.rsplit('/').next().unwrap().to_owned();
    if path.starts_with("/v2/news/manifests/") {
        if method == Method::PUT {
            state.manifests.insert(Digest::of(request.body()).to_string(), request.body().clone());
            state.manifests.insert(name, request.body().clone());
            return say(201, "");
        }
        return match state.manifests.get(&name) {
            Some(bytes) => respond(200).body(bytes.clone()).unwrap(),
            None => say(404, ""),
        };
    }
    match method {
        Method::HEAD if state.blobs.contains_key(&name) => say(200, ""),
        Method::POST => {
            let place = if state.uploads_elsewhere { "https://cdn.example" } else { "" };
            let location = format!("{place}/v2/news/blobs/uploads/7?state=x");
            respond(202).header("location", location).body(Bytes::new()).unwrap()
        }
        Method::PUT => {
            let digest = query.strip_prefix("state=x&digest=").unwrap().to_owned();
            assert_eq!(digest, Digest::of(request.body()).to_string());
            state.blobs.insert(digest, request.body().clone());
            say(201, "")
        }
        _ => say(404, ""),
    }
}

fn registry(state: &Shared) -> Registry {
    let state = Arc::clone(state);
    let service = service_fn(move |request: Request<Body>| {
        let state = Arc::clone(&state);
        async move {
            let (head, body) = request.into_parts();
            let request = Request::from_parts(head, body.collect().await?.to_bytes());
            let response = answer(&mut state.lock().unwrap(), &request);
            Ok::<_, cutover_net::BoxError>(response.map(Full::new))
        }
    });
    let net = Net {
        transport: Transport::from_service(service),
        clock: Clock::virtual_from(Timestamp::UNIX_EPOCH),
    };
    let credentials = Credentials::Basic { user: "AWS".to_owned(), password: "pw".to_owned() };
    Registry::new(net, Endpoint::of_host(HOST).unwrap(), credentials)
}

fn image() -> Image {
    let layer = Blob::new("application/vnd.oci.image.layer.v1.tar+gzip", "layer");
    let config = Blob::new("application/vnd.oci.image.config.v1+json", "{}");
    let manifest = Blob::new("application/vnd.oci.image.manifest.v1+json", "manifest");
    Image { manifest, config, layers: vec![Layer::Local(layer)], index: None }
}

fn news() -> Repository {
    format!("{HOST}/news").parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_second_push_sends_nothing_and_a_broken_one_goes_on() {
    let state = Shared::default();
    let digest = image().layers[0].digest().to_string();
    state.lock().unwrap().blobs.insert(digest, Bytes::from_static(b"layer"));
    let registry = registry(&state);
    let first = registry.push(&image(), &news(), &["v2".to_owned()]).await.unwrap();
    assert_eq!((first.uploaded, first.existed, first.uploaded_bytes), (1, 1, 10));
    assert_eq!(first.reference.to_string(), format!("{}@{}", news(), image().digest()));
    state.lock().unwrap().log.clear();
    let second = registry.push(&image(), &news(), &["v2".to_owned()]).await.unwrap();
    assert_eq!((second.uploaded, second.existed, second.uploaded_bytes), (0, 2, 0));
    assert!(state.lock().unwrap().log.iter().all(|line| !line.starts_with('P')));
    // Registries allow deleting what a manifest names.
    let config = image().config.digest.to_string();
    state.lock().unwrap().blobs.remove(&config).unwrap();
    let third = registry.push(&image(), &news(), &["v2".to_owned()]).await.unwrap();
    assert_eq!((third.uploaded, third.existed, third.uploaded_bytes), (1, 1, 2));
    assert!(state.lock().unwrap().blobs.contains_key(&config));
    let bad = registry.push(&image(), &news(), &["../x".to_owned()]).await;
    assert_eq!(bad, Err(RegistryError::Tag("../x".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn answers_basic_once_and_shows_nothing_to_another_host() {
    let state = Shared::default();
    {
        let mut state = state.lock().unwrap();
        state.challenge = r#"Basic realm="https://ecr.example",service="ecr.amazonaws.com""#;
        state.wanted = "Basic QVdTOnB3";
        state.uploads_elsewhere = true;
    }
    registry(&state).push(&image(), &news(), &[]).await.unwrap();
    let log = std::mem::take(&mut state.lock().unwrap().log);
    assert_eq!(log.iter().filter(|line| line.ends_with(" -") && line.contains(HOST)).count(), 1);
    assert_eq!(log.iter().filter(|line| line.starts_with("PUT cdn.example")).count(), 2);
    assert!(log.iter().all(|line| !line.contains("cdn.example") || line.ends_with(" -")));
}

#[tokio::test(start_paused = true)]
async fn fetches_one_token_where_bearer_is_asked_for() {
    let state = Arc::new(Mutex::new(of_tokens()));
    registry(&state).push(&image(), &news(), &[]).await.unwrap();
    let log = std::mem::take(&mut state.lock().unwrap().log);
    let asked: Vec<_> = log.iter().filter(|line| line.contains("auth.example")).collect();
    assert_eq!(asked, ["GET auth.example/token Basic QVdTOnB3"]);
}

/// Returns the same registry with a login that can be renewed, and the number of renewals.
fn renewable(state: &Shared) -> (Registry, Arc<AtomicU32>) {
    let renewed = Arc::new(AtomicU32::new(0));
    let count = renewed.clone();
    let renewal = Renewal::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let (user, password) = ("AWS".to_owned(), "pw2".to_owned());
        async move { Ok(Credentials::Basic { user, password }) }
    });
    (registry(state).with_renewal(renewal), renewed)
}

/// Returns the state of a registry that requires a token, as GHCR does.
fn of_tokens() -> State {
    let challenge = r#"Bearer realm="https://auth.example/token",service="registry",scope="repository:news:pull,push""#;
    State { challenge, wanted: "Bearer t0ken", ..State::default() }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_the_token_service_rejects_is_renewed() {
    let state = Arc::new(Mutex::new(State { ended: "Basic QVdTOnB3", ..of_tokens() }));
    let (registry, renewed) = renewable(&state);
    registry.push(&image(), &news(), &[]).await.unwrap();
    assert_eq!(renewed.load(Ordering::Relaxed), 1);
}

/// A new login would not allow more than the token does.
#[tokio::test(start_paused = true)]
async fn a_token_that_may_not_look_is_no_login_that_has_ended() {
    let state = Arc::new(Mutex::new(of_tokens()));
    let (registry, renewed) = renewable(&state);
    let reference = image().digest().to_string();
    registry.manifest_digest(&news(), &reference).await.unwrap();
    state.lock().unwrap().failures = vec![(StatusCode::FORBIDDEN, "")];
    state.lock().unwrap().log.clear();
    registry.manifest_digest(&news(), &reference).await.unwrap_err();
    assert_eq!(state.lock().unwrap().log.len(), 1);
    assert_eq!(renewed.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn transient_errors_are_retried_and_others_explained() {
    let state = Shared::default();
    let busy = (StatusCode::TOO_MANY_REQUESTS, r#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#);
    state.lock().unwrap().failures = vec![busy, (StatusCode::BAD_GATEWAY, "<html>"), busy];
    let before = tokio::time::Instant::now();
    registry(&state).push(&image(), &news(), &[]).await.unwrap();
    assert!(before.elapsed() >= std::time::Duration::from_millis(1400));

    state.lock().unwrap().failures = vec![busy; 6];
    let tired = registry(&state).push(&image(), &news(), &[]).await.unwrap_err().to_string();
    assert!(tired.contains("429") && tired.contains("Uploaded content is kept"), "{tired}");

    let unknown = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'news' does not exist"}]}"#;
    let state = Shared::default();
    state.lock().unwrap().failures =
        vec![(StatusCode::NOT_FOUND, unknown), (StatusCode::NOT_FOUND, "")];
    let missing = registry(&state).push(&image(), &news(), &[]).await.unwrap_err().to_string();
    assert!(missing.contains("404 NAME_UNKNOWN: The repository with name"), "{missing}");
    assert!(missing.contains("aws ecr create-repository"), "{missing}");
}

#[test]
fn nothing_secret_is_printed() {
    let state = Shared::default();
    let printed = format!("{:?}", registry(&state));
    assert!(!printed.contains("pw") && !printed.contains("QVdTOnB3"), "{printed}");
}
