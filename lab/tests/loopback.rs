//! The loopback transport, over its socket.

// Clippy's exemption for tests does not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cutover_lab::services::{ecr, registry, ssm};
use cutover_lab::transport::{Loopback, RunningWorld};
use cutover_lab::world::World;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const START: &str = "2026-01-05T09:00:00Z";

/// A served world, and the means to stop it.
struct Served {
    running: RunningWorld,
    stop: tokio::sync::oneshot::Sender<()>,
    server: tokio::task::JoinHandle<()>,
    socket: TcpStream,
}

async fn served(world: World, speed: f64) -> Served {
    let transport = Loopback::bind(0).await.unwrap();
    let socket = TcpStream::connect(transport.address()).await.unwrap();
    let running = RunningWorld::start(world, speed);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serve = transport.serve(running.clone(), async { drop(stopped.await) });
    Served { running, stop, server: tokio::spawn(serve), socket }
}

fn world() -> World {
    World::new(1, START.parse().unwrap())
}

fn put_parameter(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\
         X-Amz-Target: AmazonSSM.PutParameter\r\n\
         Authorization: AWS4-HMAC-SHA256 \
         Credential=AKIALABLABLABLABLAB0/20260105/ap-northeast-2/ssm/aws4_request, Signature=0\r\n",
        body.len()
    )
}

/// Reads until `text` has arrived.
async fn read_until(socket: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let mut part = [0; 4096];
        let n = socket.read(&mut part).await.unwrap();
        assert_ne!(n, 0, "closed after {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&part[..n]);
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn one_connection_carries_several_requests_and_shuts_down_gracefully() {
    let Served { stop, server, mut socket, .. } = served(world(), 1.0).await;
    let health = "GET /_lab/health HTTP/1.1\r\nHost: x\r\n\r\n";
    for _ in 0..2 {
        socket.write_all(health.as_bytes()).await.unwrap();
        let answer = read_until(&mut socket, "\"ok\"").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("date: Mon, 05 Jan 2026 09:00:0"), "the world's time: {answer}");
    }
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
}

#[tokio::test]
async fn continue_is_sent_and_a_request_outlives_its_client() {
    let Served { running, mut socket, stop: _open, .. } = served(world(), 1.0).await;
    let body = r#"{"Name":"/a","Value":"v","Type":"String"}"#;
    let head = put_parameter(body) + "Expect: 100-continue\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut socket, "HTTP/1.1 100 Continue\r\n").await;
    socket.write_all(body.as_bytes()).await.unwrap();
    drop(socket);
    for _ in 0..500 {
        if running.world(|world| ssm::current_value(world, "/a").is_some()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the request was lost with its client");
}

#[tokio::test]
async fn the_time_of_the_lab_may_run_faster() {
    let Served { running, stop: _open, .. } = served(world(), 3600.0).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let passed = running.now().duration_since(START.parse().unwrap());
    assert!(passed.as_secs() >= 360, "{passed}");
}

#[tokio::test]
async fn a_large_layer_comes_through() {
    let mut world = world();
    registry::create_repository(&mut world.registry, "news");
    let password = ecr::mint(&mut world);
    let Served { mut socket, stop: _open, .. } = served(world, 1.0).await;
    let layer = vec![7u8; 20 << 20];
    let login = STANDARD.encode(format!("AWS:{password}"));
    let head = format!(
        "POST /v2/news/blobs/uploads/?digest={} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\n\
         Content-Length: {}\r\n\r\n",
        registry::digest_of(&layer),
        layer.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&layer).await.unwrap();
    let answer = read_until(&mut socket, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
}
