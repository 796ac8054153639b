//! Smoke requests: the new version is asked over the test rule before it gets any traffic.

use http::{Method, Request};

use crate::net::{Net, empty};
use crate::rollout::{Smoke, SmokeResult};

/// Longer than a page should take; a smoke request that takes longer has failed.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// Sends each request once, in order.
pub(super) async fn ask(net: &Net, requests: &[Smoke]) -> Vec<SmokeResult> {
    let mut results = Vec::with_capacity(requests.len());
    for smoke in requests {
        let status = status(net, smoke).await;
        results.push(SmokeResult {
            path: smoke.path.clone(),
            status,
            passed: status == Some(smoke.status),
        });
    }
    results
}

async fn status(net: &Net, smoke: &Smoke) -> Option<u16> {
    let mut request = Request::builder().method(Method::GET).uri(&smoke.url);
    if let Some((name, value)) = &smoke.header {
        request = request.header(name, value);
    }
    let request = request.body(empty()).ok()?;
    match tokio::time::timeout(LIMIT, net.transport.send_bytes(request)).await {
        Ok(Ok(response)) => Some(response.status().as_u16()),
        Ok(Err(error)) => {
            tracing::warn!(%error, path = smoke.path, "a smoke request was not answered");
            None
        }
        Err(_) => None,
    }
}
