//! Delays between attempts.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// Returns the delays between `attempts` attempts: doubling from 200 ms up to 5 s, each extended at random by
/// up to its own length. The same seed gives the same delays, so that runs in the lab are reproducible.
pub fn delays(attempts: usize, seed: u64) -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(attempts.saturating_sub(1))
        .with_jitter()
        .with_jitter_seed(seed)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_attempts_wait_three_times_and_the_same_for_the_same_seed() {
        let waits: Vec<_> = delays(4, 7).collect();
        assert_eq!(waits.len(), 3);
        assert!(waits[0] >= Duration::from_millis(200) && waits[2] <= Duration::from_secs(2));
        assert_eq!(waits, delays(4, 7).collect::<Vec<_>>());
        assert_ne!(waits, delays(4, 8).collect::<Vec<_>>());
    }
}
