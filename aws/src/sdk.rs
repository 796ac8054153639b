//! The AWS SDK's HTTP client, time source and sleep, based on this transport and this clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::Format;
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};

use cutover_net::{Clock, Transport, TransportError};

/// Sends the SDK's requests, and learns AWS's time from the responses.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    transport: Transport,
    clock: Clock,
    skew: Skew,
    read_timeout: Option<Duration>,
}

impl Connector {
    pub(crate) fn new(transport: Transport, clock: Clock, skew: Skew) -> Connector {
        Connector { transport, clock, skew, read_timeout: None }
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        // The transport limits the time to connect. The SDK limits the rest only when it probes for an
        // instance metadata service.
        let read_timeout = settings.read_timeout();
        SharedHttpConnector::new(Connector { read_timeout, ..self.clone() })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Connector { transport, clock, skew, read_timeout } = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?
                .map(|body: SdkBody| body.boxed());
            let answer = transport.send(request);
            let response = match read_timeout {
                Some(limit) => tokio::time::timeout(limit, answer)
                    .await
                    .map_err(|elapsed| ConnectorError::timeout(elapsed.into()))?,
                None => answer.await,
            }
            .map_err(connector_error)?;
            if let Some(date) = response.headers().get(http::header::DATE) {
                skew.learn(date, clock.now());
            }
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn connector_error(error: TransportError) -> ConnectorError {
    match &error {
        TransportError::Connect { .. }
        | TransportError::Untrusted { .. }
        | TransportError::PlainText { .. } => ConnectorError::io(error.into()).never_connected(),
        TransportError::Setup { .. } => ConnectorError::user(error.into()),
        TransportError::Timeout { .. } => ConnectorError::timeout(error.into()),
        TransportError::Other { .. } => ConnectorError::io(error.into()),
    }
}

/// How far AWS's clock is ahead of ours, by its last response. `Date` has whole seconds, so less than two
/// seconds count as none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Skew(Arc<AtomicI64>);

impl Skew {
    fn learn(&self, date: &http::HeaderValue, now: Timestamp) {
        let theirs = date
            .to_str()
            .ok()
            .and_then(|text| DateTime::from_str(text, Format::HttpDate).ok())
            .and_then(|theirs| Timestamp::from_second(theirs.secs()).ok());
        if let Some(theirs) = theirs {
            let seconds = theirs.duration_since(now).as_secs();
            self.0.store(if seconds.abs() < 2 { 0 } else { seconds }, Ordering::Relaxed);
        }
    }

    /// Returns `now` by AWS's clock.
    pub(crate) fn apply(&self, now: Timestamp) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.0.load(Ordering::Relaxed));
        now.saturating_add(ahead).unwrap_or(now)
    }
}

/// The SDK's time source: the clock that everything else goes by.
#[derive(Debug, Clone)]
pub(crate) struct SdkTime(pub(crate) Clock);

impl TimeSource for SdkTime {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}

/// The SDK sleeps only to limit how long a request may take. Such limits are about the real machine, so a
/// clock's rate does not shorten them; under Tokio's paused time they are virtual like everything else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts;

impl AsyncSleep for Timeouts {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_is_learnt_from_the_date_header() {
        let now: Timestamp = "2026-01-02T03:04:05.9Z".parse().unwrap();
        let skew = Skew::default();
        skew.learn(&http::HeaderValue::from_static("Fri, 02 Jan 2026 03:04:05 GMT"), now);
        assert_eq!(skew.apply(now), now);
        skew.learn(&http::HeaderValue::from_static("Fri, 02 Jan 2026 04:04:06 GMT"), now);
        assert_eq!(skew.apply(now).duration_since(now), SignedDuration::from_secs(3600));
        skew.learn(&http::HeaderValue::from_static("soon"), now);
        assert_eq!(skew.apply(now).duration_since(now), SignedDuration::from_secs(3600));
    }
}
