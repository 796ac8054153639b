//! A world whose time passes.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::world::World;

/// A world in Tokio's time: real, or paused and driven by a test. Clones share the one world.
#[derive(Clone)]
pub struct Running {
    world: Arc<Mutex<World>>,
    base: Timestamp,
    started: Instant,
    speed: f64,
}

impl Running {
    /// Lets the time of `world` pass from now on, `speed` of its seconds in each of Tokio's. Needs a
    /// Tokio runtime with time.
    pub fn start(world: World, speed: f64) -> Running {
        let base = world.now;
        Running { world: Arc::new(Mutex::new(world)), base, started: Instant::now(), speed }
    }

    /// What time it is in the world.
    pub fn now(&self) -> Timestamp {
        let nanos = self.started.elapsed().as_nanos() as f64 * self.speed;
        let elapsed = jiff::SignedDuration::from_nanos(nanos as i64);
        self.base.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// Looks at the world, or changes it, as it is now.
    pub fn world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        // A panic elsewhere while the world was held must not hide what it came to.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: whoever gets it later reads a later time.
        let now = self.now();
        world.advance(now);
        look(&mut world)
    }

    /// Answers one request that arrives now.
    pub fn handle(&self, request: &http::Request<Bytes>) -> http::Response<Bytes> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        world.handle(request, now)
    }
}
