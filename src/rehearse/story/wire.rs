//! The wire between a run and its lab, and a hand in it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cutover_lab::doors::InProcess;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

use crate::net::{Body, Clock, Net, Transport, full};

/// What a hand in the wire does with a request.
pub(in crate::rehearse) enum Does {
    /// Lets it pass.
    Pass,
    /// Lets it pass after this time.
    Delay(Duration),
    /// Answers it itself: nothing arrives.
    Answer(u16, &'static str),
}

/// Sees each request's operation and body.
pub(in crate::rehearse) type Hand = Arc<dyn Fn(&str, &str) -> Does + Send + Sync>;

/// A wire without a hand in it.
pub(super) fn plain(door: &InProcess, clock: Clock) -> Net {
    Net { transport: Transport::from_service(door.clone()), clock }
}

/// A wire with a hand in it.
pub(super) fn handed(door: &InProcess, clock: Clock, hand: Hand) -> Net {
    let door = door.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (door, hand) = (door.clone(), hand.clone());
        Box::pin(carried(door, hand, request))
            as Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>
    });
    Net { transport: Transport::from_service(service), clock }
}

async fn carried(
    door: InProcess,
    hand: Hand,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let body: Bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    let operation = parts
        .headers
        .get("x-amz-target")
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned)
        .or_else(|| {
            let of = text.split('&').find_map(|p| p.strip_prefix("Action="))?;
            Some(of.to_owned())
        })
        .unwrap_or_else(|| parts.uri.path().to_owned());
    match hand(&operation, &text) {
        Does::Pass => {}
        Does::Delay(time) => tokio::time::sleep(time).await,
        Does::Answer(status, body) => {
            return Ok(Response::builder().status(status).body(full(body)).unwrap());
        }
    }
    let answer = door.oneshot(Request::from_parts(parts, Full::new(body))).await.unwrap();
    let (head, body) = answer.into_parts();
    Ok(Response::from_parts(head, full(body.collect().await.unwrap().to_bytes())))
}
