//! Runs the smoke tests: requests to the new version through the test rule, before it receives traffic.

use http::{Method, Request};

use cutover_net::{Net, empty};
use cutover_rollout::{Smoke, SmokeResult};

/// The timeout of a smoke test: longer than a page should take.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// Sends each request once, in order.
pub(super) async fn run_smoke_tests(net: &Net, requests: &[Smoke]) -> Vec<SmokeResult> {
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
            tracing::warn!(%error, path = smoke.path, "a smoke test got no response");
            None
        }
        Err(_) => None,
    }
}
