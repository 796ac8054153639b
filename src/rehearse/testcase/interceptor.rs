//! The connection between a run and its lab, and the interception of its requests.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cutover_lab::transport::InProcess;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

use cutover_net::{Body, Clock, Net, Transport, full};

/// What to do with an intercepted request.
pub(in crate::rehearse) enum Interception {
    /// Let it pass.
    Pass,
    /// Let it pass after this time.
    Delay(Duration),
    /// Answer it: it does not reach the lab.
    Answer(u16, &'static str),
}

/// Decides about a request by its operation and body.
pub(in crate::rehearse) type Interceptor = Arc<dyn Fn(&str, &str) -> Interception + Send + Sync>;

/// Returns a connection without interception.
pub(super) fn plain(transport: &InProcess, clock: Clock) -> Net {
    Net { transport: Transport::from_service(transport.clone()), clock }
}

/// Returns a connection whose requests are intercepted.
pub(super) fn intercepted(transport: &InProcess, clock: Clock, interceptor: Interceptor) -> Net {
    let transport = transport.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (transport, interceptor) = (transport.clone(), interceptor.clone());
        Box::pin(carried(transport, interceptor, request))
            as Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>
    });
    Net { transport: Transport::from_service(service), clock }
}

async fn carried(
    transport: InProcess,
    interceptor: Interceptor,
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
    match interceptor(&operation, &text) {
        Interception::Pass => {}
        Interception::Delay(time) => tokio::time::sleep(time).await,
        Interception::Answer(status, body) => {
            return Ok(Response::builder().status(status).body(full(body)).unwrap());
        }
    }
    let answer = transport.oneshot(Request::from_parts(parts, Full::new(body))).await.unwrap();
    let (head, body) = answer.into_parts();
    Ok(Response::from_parts(head, full(body.collect().await.unwrap().to_bytes())))
}
