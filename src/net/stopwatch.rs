//! How long the machine itself took. Nothing is decided by it: it is for measuring.

use std::time::{Duration, Instant};

/// Runs from when it was made, also while Tokio's time is paused.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// How long it has run.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
