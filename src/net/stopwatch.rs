//! How long the machine itself took. Nothing is decided by it: it is for measuring.

use std::time::{Duration, Instant};

/// Runs from when it was made, also while Tokio's time is paused.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    began: Instant,
    worked: Option<Duration>,
}

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Stopwatch {
        Stopwatch { began: Instant::now(), worked: None }
    }

    /// Starts now, to tell later how long this thread has worked.
    pub fn of_this_thread() -> Stopwatch {
        Stopwatch { began: Instant::now(), worked: worked() }
    }

    /// How long it has run.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// For how much of that this thread had a processor, to a few milliseconds: on a machine that is
    /// busy with other things, that is less. Only Linux tells; elsewhere it is the whole time.
    pub fn worked(&self) -> Duration {
        let since = worked().zip(self.worked).map(|(now, then)| now.saturating_sub(then));
        since.unwrap_or_else(|| self.elapsed())
    }
}

/// The processor time of this thread: the first number of `schedstat` (Linux, sched-stats.rst).
fn worked() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}
