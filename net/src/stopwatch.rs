//! Measures how long the machine itself takes. No decision depends on it.

use std::time::{Duration, Instant};

/// Runs from its creation, also while Tokio's time is paused.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    began: Instant,
    worked: Option<Duration>,
}

impl Stopwatch {
    /// Starts measuring.
    pub fn start() -> Stopwatch {
        Stopwatch { began: Instant::now(), worked: None }
    }

    /// Starts measuring, including this thread's processor time.
    pub fn of_this_thread() -> Stopwatch {
        Stopwatch { began: Instant::now(), worked: worked() }
    }

    /// Returns the elapsed time.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Returns for how long this thread had a processor, to a few milliseconds: less than the elapsed time if
    /// the machine is busy with other things. Only Linux reports it; elsewhere it is the elapsed time.
    pub fn worked(&self) -> Duration {
        let since = worked().zip(self.worked).map(|(now, then)| now.saturating_sub(then));
        since.unwrap_or_else(|| self.elapsed())
    }
}

/// Returns the processor time of this thread: the first number in `schedstat` (Linux, sched-stats.rst).
fn worked() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}
