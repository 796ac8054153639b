//! A world whose time passes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use super::Moment;
use super::watch::Watchers;
use crate::faults::{End, Fate};
use crate::wire::Asked;
use crate::world::{World, elapsed, later};

/// A world in Tokio's time: real, or paused and driven by a test. Clones share the one world.
#[derive(Clone)]
pub struct Running {
    inside: Arc<Mutex<Inside>>,
    base: Timestamp,
    started: Instant,
    speed: f64,
}

struct Inside {
    world: World,
    watchers: Watchers,
}

impl Inside {
    fn advance(&mut self, now: Timestamp) {
        let Inside { world, watchers } = self;
        if watchers.is_empty() {
            world.advance(now);
        } else {
            world.advance_seen(now, &mut |world| watchers.event(world));
        }
    }
}

/// A request and who sends it.
pub(super) struct Letter {
    pub(super) sender: Arc<str>,
    pub(super) request: http::Request<Bytes>,
}

/// Why no reply comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoReply {
    /// The connection ends.
    #[error("the connection ended without an answer")]
    Ended,
    /// The connection stays, and nothing comes.
    #[error("no answer comes")]
    Hangs,
}

impl Running {
    /// Lets the time of `world` pass from now on, `speed` of its seconds in each of Tokio's. Needs a
    /// Tokio runtime with time.
    pub fn start(world: World, speed: f64) -> Running {
        let base = world.now;
        let inside = Inside { world, watchers: Watchers::default() };
        Running { inside: Arc::new(Mutex::new(inside)), base, started: Instant::now(), speed }
    }

    /// What time it is in the world.
    pub fn now(&self) -> Timestamp {
        let nanos = self.started.elapsed().as_nanos() as f64 * self.speed;
        let elapsed = jiff::SignedDuration::from_nanos(nanos as i64);
        self.base.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// Looks at the world, or changes it, as it is now.
    pub fn world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        let mut inside = self.lock();
        // Read under the lock: whoever gets it later reads a later time.
        let now = self.now();
        inside.advance(now);
        look(&mut inside.world)
    }

    /// Shows everything from now on to `watcher`: after every event of the world and every call.
    pub fn watch(&self, watcher: impl FnMut(&World, &Moment<'_>) + Send + 'static) {
        let mut inside = self.lock();
        let now = self.now();
        inside.advance(now);
        let Inside { world, watchers } = &mut *inside;
        watchers.add(world, watcher);
    }

    /// Carries a request there and back, which takes so long in the world's time, and longer or for
    /// ever where faults want it.
    pub(super) async fn carry(
        &self,
        letter: &Letter,
        there: Duration,
        back: Duration,
    ) -> Result<http::Response<Bytes>, NoReply> {
        let (sent, fate) = self.send(letter);
        self.pass(there + fate.there).await;
        let back = back + fate.back;
        let response = self.arrive(letter, sent, &fate, back);
        self.pass(back).await;
        match fate.end {
            End::Lost { hang: true } => Err(NoReply::Hangs),
            _ => response.filter(|_| fate.replies()).ok_or(NoReply::Ended),
        }
    }

    /// When a request was sent, and what will become of it.
    fn send(&self, letter: &Letter) -> (Timestamp, Fate) {
        let Letter { sender, request } = letter;
        let mut inside = self.lock();
        let Inside { world, watchers } = &mut *inside;
        let (sent, World { began, faults, .. }) = (self.now(), &mut *world);
        let fate = if faults.is_quiet() {
            Fate::default()
        } else {
            faults.fate(sender, &Asked::of(request), elapsed(*began, sent))
        };
        if !watchers.is_empty() {
            let Asked { service, operation } = Asked::of(request);
            let moment = Moment::Sent { sender, sent, service, operation: operation.as_str() };
            watchers.show(world, &moment);
        }
        (sent, fate)
    }

    /// The world's answer to a request that arrives now, if it does.
    fn arrive(
        &self,
        letter: &Letter,
        sent: Timestamp,
        fate: &Fate,
        back: Duration,
    ) -> Option<http::Response<Bytes>> {
        let Letter { sender, request } = letter;
        let mut inside = self.lock();
        let now = self.now();
        inside.advance(now);
        let Inside { world, watchers } = &mut *inside;
        let response = match &fate.end {
            End::Cut => None,
            End::Refused(error) => Some(world.refuse(request, error)),
            End::Answered | End::Lost { .. } => Some(world.answer(request)),
        };
        if !watchers.is_empty() {
            let Asked { service, operation } = Asked::of(request);
            let operation = operation.as_str();
            let moment = match &response {
                Some(response) => Moment::Call {
                    sender,
                    sent,
                    replied: fate.replies().then(|| later(now, back)),
                    service,
                    operation,
                    request,
                    status: response.status().as_u16(),
                },
                None => Moment::Cut { sender, sent, service, operation },
            };
            watchers.show(world, &moment);
        }
        response
    }

    /// Waits so long in the world's time.
    async fn pass(&self, time: Duration) {
        let time = time.as_secs_f64() / self.speed;
        match Duration::try_from_secs_f64(time) {
            Ok(Duration::ZERO) => {}
            time => tokio::time::sleep(time.unwrap_or(Duration::MAX)).await,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // A panic elsewhere while the world was held must not hide what it came to.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
