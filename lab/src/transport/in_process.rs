//! The transport without a socket, for clients in the same process under Tokio's paused time. Paused
//! time jumps ahead whenever the runtime waits for real I/O, so there must be none.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use jiff::Timestamp;
use tower::{BoxError, Service};

use super::running::{Envelope, NoResponse};
use crate::transport::running::RunningWorld;
use crate::transport::watch::WatchEvent;
use crate::world::{Params, Rng, World};

/// A [`tower::Service`] that carries requests to a world. Request and response each take a seeded time
/// between `latency_min` and `latency_max`: without it, no race would ever show.
#[derive(Clone)]
pub struct InProcess {
    running: RunningWorld,
    latency: Arc<Mutex<Latency>>,
    sender: Arc<str>,
}

impl InProcess {
    /// Creates a transport to `world`, whose time passes as Tokio's does from now on. Needs a Tokio
    /// runtime with time.
    pub fn new(mut world: World) -> InProcess {
        let latency = Latency::of(&mut world);
        InProcess {
            running: RunningWorld::start(world, 1.0),
            latency: Arc::new(Mutex::new(latency)),
            sender: Arc::from("client"),
        }
    }

    /// Returns the same transport for another sender, to whom its calls are attributed. The first sender
    /// is `client`.
    #[must_use]
    pub fn for_sender(&self, sender: &str) -> InProcess {
        InProcess { sender: Arc::from(sender), ..self.clone() }
    }

    /// Calls `watcher` after every event of the world and every call of any sender, from now on.
    pub fn watch(&self, watcher: impl FnMut(&World, &WatchEvent<'_>) + Send + 'static) {
        self.running.watch(watcher);
    }

    /// Returns the world's current time.
    pub fn now(&self) -> Timestamp {
        self.running.now()
    }

    /// Reads the world as it is now, or changes it without any client's knowledge.
    pub fn world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        self.running.world(look)
    }

    async fn deliver(
        self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, NoResponse> {
        let (there, back) = self.latency.lock().unwrap_or_else(PoisonError::into_inner).draw();
        let letter = Envelope { sender: self.sender, request };
        self.running.exchange(&letter, there, back).await
    }
}

impl<B> Service<http::Request<B>> for InProcess
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = http::Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let transport = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(Into::into)?.to_bytes();
            // A separate task: from here on the request arrives whether or not anyone waits.
            let delivery = tokio::spawn(transport.deliver(http::Request::from_parts(parts, body)));
            match delivery.await? {
                Ok(response) => Ok(response.map(Full::new)),
                Err(NoResponse::Closed) => {
                    Err(io::Error::new(io::ErrorKind::ConnectionReset, NoResponse::Closed).into())
                }
                Err(NoResponse::Hangs) => std::future::pending().await,
            }
        })
    }
}

/// Draws latencies. Its generator is separate from the world's: the number of requests in flight must
/// not change the simulated users.
struct Latency {
    rng: Rng,
    min: Duration,
    max: Duration,
}

impl Latency {
    fn of(world: &mut World) -> Latency {
        let Params { latency_min, latency_max, .. } = world.params;
        Latency { rng: Rng::new(world.rng.bits()), min: latency_min, max: latency_max }
    }

    /// Draws the time of the request and the time of the response.
    fn draw(&mut self) -> (Duration, Duration) {
        (self.rng.between(self.min, self.max), self.rng.between(self.min, self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::ssm;

    const START: &str = "2026-01-05T09:00:00Z";

    fn transport(seed: u64) -> InProcess {
        InProcess::new(World::new(seed, START.parse().unwrap()))
    }

    fn put_parameter(name: &str) -> http::Request<Full<Bytes>> {
        let scope = "Credential=AKIALABLABLABLABLAB0/20260105/ap-northeast-2/ssm/aws4_request";
        http::Request::post("https://ssm.ap-northeast-2.amazonaws.com/")
            .header("Authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"))
            .header("X-Amz-Target", "AmazonSSM.PutParameter")
            .body(Full::from(format!(r#"{{"Name":"{name}","Value":"v","Type":"String"}}"#)))
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn request_and_response_take_seeded_time() {
        let arrival = async |seed| {
            let mut transport = transport(seed);
            let response = transport.call(put_parameter("/a")).await.unwrap();
            assert_eq!(response.status(), 200);
            transport.now()
        };
        let (one, again, other) = (arrival(1).await, arrival(1).await, arrival(2).await);
        assert_eq!(one, again);
        assert_ne!(one, other);
        assert!(one.duration_since(START.parse().unwrap()).as_millis() >= 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_once_sent_arrives_without_its_sender() {
        let mut transport = transport(1);
        let sent = transport.call(put_parameter("/a"));
        assert!(tokio::time::timeout(Duration::from_millis(1), sent).await.is_err());
        assert!(transport.world(|w| ssm::current_value(w, "/a").is_none()), "not delivered yet");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(
            transport.world(|w| ssm::current_value(w, "/a").is_some()),
            "delivered without its sender"
        );
    }
}
