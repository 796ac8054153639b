//! A world whose time passes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use super::watch::Watchers;
use crate::faults::{Delivery, DeliveryEnd};
use crate::transport::watch::WatchEvent;
use crate::wire::Operation;
use crate::world::{World, elapsed, later};

/// A world in Tokio's time: real, or paused and driven by a test. Clones share one world.
#[derive(Clone)]
pub struct RunningWorld {
    inside: Arc<Mutex<Shared>>,
    base: Timestamp,
    started: Instant,
    speed: f64,
}

struct Shared {
    world: World,
    watchers: Watchers,
}

impl Shared {
    fn advance(&mut self, now: Timestamp) {
        let Shared { world, watchers } = self;
        if watchers.is_empty() {
            world.advance(now);
        } else {
            world.advance_watched(now, &mut |world| watchers.event(world));
        }
    }
}

/// A request and its sender.
pub(super) struct Envelope {
    pub(super) sender: Arc<str>,
    pub(super) request: http::Request<Bytes>,
}

/// Why no response arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoResponse {
    /// The connection is closed.
    #[error("the connection was closed without a response")]
    Closed,
    /// The connection stays open, and no response arrives.
    #[error("no response arrives")]
    Hangs,
}

impl RunningWorld {
    /// Lets the time of `world` pass from now on, `speed` of its seconds per second of Tokio's. Needs a
    /// Tokio runtime with time.
    pub fn start(world: World, speed: f64) -> RunningWorld {
        let base = world.now;
        let inside = Shared { world, watchers: Watchers::default() };
        RunningWorld { inside: Arc::new(Mutex::new(inside)), base, started: Instant::now(), speed }
    }

    /// Returns the world's current time.
    pub fn now(&self) -> Timestamp {
        let nanos = self.started.elapsed().as_nanos() as f64 * self.speed;
        let elapsed = jiff::SignedDuration::from_nanos(nanos as i64);
        self.base.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// Reads or changes the world as it is now.
    pub fn world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        let mut inside = self.lock();
        // Read under the lock: whoever gets the lock later reads a later time.
        let now = self.now();
        inside.advance(now);
        look(&mut inside.world)
    }

    /// Calls `watcher` after every event of the world and every call, from now on.
    pub fn watch(&self, watcher: impl FnMut(&World, &WatchEvent<'_>) + Send + 'static) {
        let mut inside = self.lock();
        let now = self.now();
        inside.advance(now);
        let Shared { world, watchers } = &mut *inside;
        watchers.add(world, watcher);
    }

    /// Carries a request to the world and its response back. Each way takes the given time in the
    /// world's time, and longer or forever where a fault says so.
    pub(super) async fn exchange(
        &self,
        letter: &Envelope,
        there: Duration,
        back: Duration,
    ) -> Result<http::Response<Bytes>, NoResponse> {
        let (sent, fate) = self.send(letter);
        self.pass(there + fate.there).await;
        let back = back + fate.back;
        let response = self.arrive(letter, sent, &fate, back);
        self.pass(back).await;
        match fate.end {
            DeliveryEnd::Lost { hang: true } => Err(NoResponse::Hangs),
            _ => response.filter(|_| fate.is_answered()).ok_or(NoResponse::Closed),
        }
    }

    /// Records that a request is sent. Returns the time, and what becomes of the request.
    fn send(&self, letter: &Envelope) -> (Timestamp, Delivery) {
        let Envelope { sender, request } = letter;
        let mut inside = self.lock();
        let Shared { world, watchers } = &mut *inside;
        let (sent, World { began, faults, .. }) = (self.now(), &mut *world);
        let fate = if faults.is_empty() {
            Delivery::default()
        } else {
            faults.delivery(sender, &Operation::of(request), elapsed(*began, sent))
        };
        if !watchers.is_empty() {
            let Operation { service, operation } = Operation::of(request);
            let moment = WatchEvent::Sent { sender, sent, service, operation: operation.as_str() };
            watchers.show(world, &moment);
        }
        (sent, fate)
    }

    /// Returns the world's response to a request that arrives now, if it arrives.
    fn arrive(
        &self,
        letter: &Envelope,
        sent: Timestamp,
        fate: &Delivery,
        back: Duration,
    ) -> Option<http::Response<Bytes>> {
        let Envelope { sender, request } = letter;
        let mut inside = self.lock();
        let now = self.now();
        inside.advance(now);
        let Shared { world, watchers } = &mut *inside;
        let response = match &fate.end {
            DeliveryEnd::Cut => None,
            DeliveryEnd::Refused(error) => Some(world.refuse(request, error)),
            DeliveryEnd::Answered | DeliveryEnd::Lost { .. } => Some(world.answer(request)),
        };
        if !watchers.is_empty() {
            let Operation { service, operation } = Operation::of(request);
            let operation = operation.as_str();
            let moment = match &response {
                Some(response) => WatchEvent::Call {
                    sender,
                    sent,
                    replied: fate.is_answered().then(|| later(now, back)),
                    service,
                    operation,
                    request,
                    status: response.status().as_u16(),
                },
                None => WatchEvent::Cut { sender, sent, service, operation },
            };
            watchers.show(world, &moment);
        }
        response
    }

    /// Waits for a duration of the world's time.
    async fn pass(&self, time: Duration) {
        let time = time.as_secs_f64() / self.speed;
        match Duration::try_from_secs_f64(time) {
            Ok(Duration::ZERO) => {}
            time => tokio::time::sleep(time.unwrap_or(Duration::MAX)).await,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panic elsewhere under the lock must not hide the state that the world reached.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
