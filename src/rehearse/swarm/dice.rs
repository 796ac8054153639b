//! The random numbers of test cases.

use std::time::Duration;

use cutover_lab::world::Rng;

/// The random numbers that test cases are drawn with, separate from the lab's own.
pub(super) struct Dice(Rng);

impl Dice {
    pub(super) fn of(seed: u64) -> Dice {
        Dice(Rng::new(seed ^ 0x5eed_0f57_0121_e500))
    }

    /// Returns one of these.
    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[(self.0.bits() % of.len() as u64) as usize].clone()
    }

    /// Returns a whole number from `low` to `high`, both included.
    pub(super) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.bits() % (high - low + 1)
    }

    /// Returns true with this probability.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.0.chance(p)
    }

    /// Returns a duration from `low` to `high` milliseconds.
    pub(super) fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.within(low, high))
    }
}
