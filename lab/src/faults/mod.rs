//! Hostile weather: what happens to calls on their way, what AWS refuses to those in a hurry, and what
//! happens to the world by chance, by time and by other hands.
//!
//! All of it is data, part of a scenario ([`Faults`], [`Happening`]) or added to a running world. The
//! doors ask for the [`Fate`] of every request when it is sent.

mod call;
mod client;
mod fate;
mod hand;
mod happening;
mod misbehaviour;
mod refusal;
mod stale;
#[cfg(test)]
mod tests;
mod throttling;
pub(crate) mod values;

pub use call::{CallFault, Fault, Faults};
pub use fate::{End, Fate};
pub use hand::{Done, HAND};
pub use happening::{Happening, What, schedule};
pub use misbehaviour::Misbehaviour;
pub use throttling::{Rate, Rates, Throttling};

pub(crate) use misbehaviour::spoil;
pub(crate) use stale::{answer as answer_from, before_event};

use std::time::Duration;

use bytes::Bytes;
use http::Request;

use crate::wire::{ApiError, Asked};
use crate::world::{Rng, World};

/// The faults of a world.
#[derive(Debug, Clone)]
pub struct State {
    /// Whether calls are counted against AWS's rates.
    pub throttling: Throttling,
    /// How old a read's answer may be.
    pub stale: Duration,
    misbehaving: misbehaviour::All,
    /// What other hands have done.
    pub hands: Vec<Done>,
    armed: Vec<Armed>,
    buckets: throttling::Buckets,
    past: stale::Past,
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
    /// Fair weather.
    pub fn new(seed: u64) -> State {
        State {
            throttling: Throttling::Off,
            stale: Duration::ZERO,
            misbehaving: misbehaviour::All::default(),
            hands: Vec::new(),
            armed: Vec::new(),
            buckets: throttling::Buckets::default(),
            past: stale::Past::new(seed),
            rng: Rng::new(seed.rotate_left(16) ^ 0x6661_756c_7473_0000),
        }
    }

    /// The weather of a scenario from now on.
    pub fn begin(&mut self, faults: &Faults) {
        self.throttling = faults.throttling;
        self.stale = Duration::try_from_secs_f64(faults.stale_seconds).unwrap_or_default();
        faults.calls.iter().for_each(|fault| self.add(fault.clone()));
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

    /// What becomes of a request that `sender` sends so long after the scenario's beginning. Times of
    /// slow ways add up; of the other faults that hit, the first added decides.
    pub fn fate(&mut self, sender: &str, asked: &Asked, at: Duration) -> Fate {
        let mut fate = Fate::default();
        for armed in &mut self.armed {
            let fault = &armed.fault;
            if !fault.matches(sender, asked, at) {
                continue;
            }
            armed.matched += 1;
            let drawn = match fault.probability {
                Some(probability) => self.rng.chance(probability),
                None => true,
            };
            if drawn && fault.nth.is_none_or(|nth| nth == armed.matched) {
                fate.suffer(fault, asked);
            }
        }
        fate
    }
}

/// What happens by itself here.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Something of a scenario happens.
    Happens(Box<What>),
    /// What began as this number ends: an image behaves again, if nothing else is the matter with it.
    Behaves(u64),
}

/// Lets `event` happen.
pub fn happen(world: &mut World, event: &Event) {
    match event {
        Event::Happens(what) => happening::begin(world, what),
        Event::Behaves(number) => misbehaviour::end(world, *number),
    }
}

/// The refusal of a request that comes too soon after others, if it does.
pub(crate) fn throttled(world: &mut World, request: &Request<Bytes>) -> Option<ApiError> {
    if world.faults.throttling == Throttling::Off {
        return None;
    }
    let asked = Asked::of(request);
    let passes = world.faults.buckets.take(&world.params.rates, &asked, world.now);
    (!passes).then(|| refusal::throttled(asked.service))
}
