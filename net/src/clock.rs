//! The clock: the current time, and waiting.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock that never jumps: a time that was read once, plus the time that Tokio has counted since. It
/// follows Tokio's paused time, and runs faster at a rate above 1.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Timestamp,
    origin: Instant,
    rate: f64,
}

impl Clock {
    /// Returns the machine's clock, read once.
    pub fn system() -> Clock {
        let now = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
        Clock::virtual_from(now)
    }

    /// Returns a clock that reads `start` now.
    pub fn virtual_from(start: Timestamp) -> Clock {
        Clock { start, origin: Instant::now(), rate: 1.0 }
    }

    /// Returns the same clock, from now on `rate` times as fast: for a lab that is served at a speed. A rate
    /// that is not a positive number counts as 1.
    #[must_use]
    pub fn with_rate(self, rate: f64) -> Clock {
        let rate = if rate.is_finite() && rate > 0.0 { rate } else { 1.0 };
        Clock { start: self.now(), origin: Instant::now(), rate }
    }

    /// Returns a clock at the same rate that is off by `skew`: another machine's.
    #[must_use]
    pub fn shifted(self, skew: SignedDuration) -> Clock {
        Clock { start: self.start.saturating_add(skew).unwrap_or(self.start), ..self }
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        let passed = self.origin.elapsed().mul_f64(self.rate);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// Waits for `duration` by this clock.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.rate)).await;
    }

    /// Waits until `moment` by this clock; returns at once if it has passed.
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
