//! Measures where a rollout's time goes, by the SDK's own spans: each call is within one.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use cutover_net::Stopwatch;

/// How one thread has spent its time.
#[derive(Debug, Default)]
pub(super) struct TimeProfile {
    /// Nanoseconds in the deployer, including the SDK.
    deployer: AtomicU64,
    /// Nanoseconds within the SDK's calls.
    sdk: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Number of calls by `Service.Operation`.
    calls: BTreeMap<&'static str, u64>,
    /// How many spans are entered, and since when.
    depth: u32,
    entered: Option<Stopwatch>,
}

impl TimeProfile {
    /// Wraps `work` so that the time it is polled for is measured, not the time it waits.
    pub(super) fn deployer<'g, F: Future + 'g>(
        &'g self,
        work: F,
    ) -> impl Future<Output = F::Output> + 'g {
        TimedFuture { work: Box::pin(work), spent: &self.deployer }
    }

    /// Returns the time in the deployer without the SDK, and the time in the SDK.
    pub(super) fn spent(&self) -> (Duration, Duration) {
        let nanos = |spent: &AtomicU64| Duration::from_nanos(spent.load(Ordering::Relaxed));
        let (all, sdk) = (nanos(&self.deployer), nanos(&self.sdk));
        (all.saturating_sub(sdk), sdk)
    }

    /// Returns how often each operation was called, as `Service.Operation`.
    pub(super) fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }
}

/// A future that adds to `spent` the nanoseconds for which it is polled.
struct TimedFuture<'g, F> {
    work: Pin<Box<F>>,
    spent: &'g AtomicU64,
}

impl<F: Future> Future for TimedFuture<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let watch = Stopwatch::start();
        let polled = self.work.as_mut().poll(context);
        add(self.spent, watch);
        polled
    }
}

fn add(spent: &AtomicU64, watch: Stopwatch) {
    let nanos = u64::try_from(watch.elapsed().as_nanos()).unwrap_or(u64::MAX);
    spent.fetch_add(nanos, Ordering::Relaxed);
}

/// Observes the spans of one thread. All have the same ID: only how many are entered counts.
pub(super) struct SpanRecorder(pub(super) Arc<TimeProfile>);

impl SpanRecorder {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber for SpanRecorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("aws_sdk_")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        *self.inner().calls.entry(span.metadata().name()).or_default() += 1;
        Id::from_u64(1)
    }

    fn enter(&self, _: &Id) {
        let mut inner = self.inner();
        inner.depth += 1;
        if inner.depth == 1 {
            inner.entered = Some(Stopwatch::start());
        }
    }

    fn exit(&self, _: &Id) {
        let mut inner = self.inner();
        inner.depth = inner.depth.saturating_sub(1);
        if inner.depth == 0
            && let Some(watch) = inner.entered.take()
        {
            add(&self.0.sdk, watch);
        }
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}
}
