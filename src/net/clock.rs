//! What time it is, and how to wait.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock that never jumps: a moment that was read once, and the time that Tokio has counted
/// since. Under Tokio's paused time it follows that; at a rate it runs faster than it.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Timestamp,
    origin: Instant,
    rate: f64,
}

impl Clock {
    /// The machine's clock, read once.
    pub fn system() -> Clock {
        let now = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
        Clock::virtual_from(now)
    }

    /// A clock that shows `start` now.
    pub fn virtual_from(start: Timestamp) -> Clock {
        Clock { start, origin: Instant::now(), rate: 1.0 }
    }

    /// The same clock, from now on `rate` times as fast: for a lab that is served at a speed. A
    /// rate that is not a positive number counts as 1.
    #[must_use]
    pub fn with_rate(self, rate: f64) -> Clock {
        let rate = if rate.is_finite() && rate > 0.0 { rate } else { 1.0 };
        Clock { start: self.now(), origin: Instant::now(), rate }
    }

    /// A clock that goes as this one does, and is off by `skew`: the machine's of somebody else.
    #[must_use]
    pub fn shifted(self, skew: SignedDuration) -> Clock {
        Clock { start: self.start.saturating_add(skew).unwrap_or(self.start), ..self }
    }

    /// What the clock shows.
    pub fn now(&self) -> Timestamp {
        let passed = self.origin.elapsed().mul_f64(self.rate);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// Waits until the clock shows `duration` more.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.rate)).await;
    }

    /// Waits until the clock shows `moment`; returns at once where that has passed.
    pub async fn sleep_until(&self, moment: Timestamp) {
        let left = moment.duration_since(self.now());
        self.sleep(Duration::try_from(left).unwrap_or(Duration::ZERO)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_paused_time_at_its_rate() {
        let start: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let slow = Clock::virtual_from(start);
        let fast = slow.with_rate(60.0);

        let before = Instant::now();
        fast.sleep(Duration::from_secs(120)).await;
        assert_eq!(before.elapsed(), Duration::from_secs(2));

        assert_eq!(slow.now().duration_since(start), SignedDuration::from_secs(2));
        assert_eq!(fast.now().duration_since(start), SignedDuration::from_secs(120));
        fast.sleep_until(start).await;
        assert_eq!(before.elapsed(), Duration::from_secs(2));
    }
}
