//! Hostile weather: what happens to calls on their way, by chance, by time and by number.
//!
//! Faults are data ([`CallFault`]), part of a scenario or added to a running world. The doors ask for
//! the [`Fate`] of every request when it is sent.

mod call;
mod fate;
mod refusal;
#[cfg(test)]
mod tests;

pub use call::{CallFault, Fault, Faults};
pub use fate::{End, Fate};

use jiff::Timestamp;

use crate::wire::Asked;
use crate::world::{Rng, elapsed};

/// The faults of a world.
#[derive(Debug, Clone)]
pub struct State {
    /// The scenario's beginning, from which faults count their seconds.
    pub began: Timestamp,
    armed: Vec<Armed>,
    /// Chance of its own, so that faults change nothing that chance does elsewhere.
    rng: Rng,
}

/// A fault, and how many calls have matched it.
#[derive(Debug, Clone)]
struct Armed {
    fault: CallFault,
    matched: u64,
}

impl State {
    /// Fair weather from `began` on.
    pub fn new(seed: u64, began: Timestamp) -> State {
        let rng = Rng::new(seed.rotate_left(16) ^ 0x6661_756c_7473_0000);
        State { began, armed: Vec::new(), rng }
    }

    /// Adds a fault, which counts its calls from now on.
    pub fn add(&mut self, fault: CallFault) {
        self.armed.push(Armed { fault, matched: 0 });
    }

    /// Ends all faults of calls.
    pub fn clear(&mut self) {
        self.armed.clear();
    }

    /// Whether no call can be hit.
    pub fn is_quiet(&self) -> bool {
        self.armed.is_empty()
    }

    /// What becomes of a request that `sender` sends at `now`. Times of slow ways add up; of the other
    /// faults that hit, the first added decides.
    pub fn fate(&mut self, sender: &str, asked: &Asked, now: Timestamp) -> Fate {
        let mut fate = Fate::default();
        let at = elapsed(self.began, now);
        for armed in &mut self.armed {
            let fault = &armed.fault;
            if now < self.began || !fault.matches(sender, asked, at) {
                continue;
            }
            armed.matched += 1;
            let drawn = match fault.probability {
                Some(probability) => self.rng.chance(probability),
                None => true,
            };
            if drawn && fault.nth.is_none_or(|nth| nth == armed.matched) {
                fate.suffer(&fault.fault, asked);
            }
        }
        fate
    }
}
