//! Fault injection: calls that are delayed, refused or lost, throttling, stale reads, and scheduled
//! events, among them calls of operators.
//!
//! All of it is data, part of a scenario ([`Faults`], [`ScheduledEvent`]) or added to a running world. The
//! transports ask for the [`Delivery`] of every request when it is sent.

mod call;
mod client;
mod delivery;
mod misbehavior;
mod operator;
mod refusal;
mod scheduled_event;
mod stale;
#[cfg(test)]
mod tests;
mod throttling;
pub(crate) mod values;

pub use call::{CallFault, Fault, Faults};
pub use delivery::{Delivery, DeliveryEnd};
pub use misbehavior::Misbehavior;
pub use operator::{OPERATOR, OperatorCall};
pub use scheduled_event::{EventKind, ScheduledEvent, schedule};
pub use throttling::{Rate, Rates, Throttling};

pub(crate) use misbehavior::apply_misbehavior;
pub(crate) use stale::{answer as answer_from, before_event};

use std::time::Duration;

use bytes::Bytes;
use http::Request;

use crate::wire::{ApiError, Operation};
use crate::world::{Rng, World};

/// The faults of a world.
#[derive(Debug, Clone)]
pub struct State {
    /// Whether AWS's request rates apply.
    pub throttling: Throttling,
    /// How old the response to a read may be.
    pub max_staleness: Duration,
    misbehaving: misbehavior::ActiveMisbehavior,
    /// The calls that operators have made.
    pub operator_calls: Vec<OperatorCall>,
    armed: Vec<ActiveFault>,
    buckets: throttling::Buckets,
    history: stale::StateHistory,
    /// A separate generator, so that faults do not change the randomness elsewhere.
    rng: Rng,
}

/// A fault, and how many calls have matched it.
#[derive(Debug, Clone)]
struct ActiveFault {
    fault: CallFault,
    matched: u64,
}

impl State {
    /// Creates a state without faults.
    pub fn new(seed: u64) -> State {
        State {
            throttling: Throttling::Off,
            max_staleness: Duration::ZERO,
            misbehaving: misbehavior::ActiveMisbehavior::default(),
            operator_calls: Vec::new(),
            armed: Vec::new(),
            buckets: throttling::Buckets::default(),
            history: stale::StateHistory::new(seed),
            rng: Rng::new(seed.rotate_left(16) ^ 0x6661_756c_7473_0000),
        }
    }

    /// Applies the faults of a scenario from now on.
    pub fn apply(&mut self, faults: &Faults) {
        self.throttling = faults.throttling;
        self.max_staleness = Duration::try_from_secs_f64(faults.stale_seconds).unwrap_or_default();
        faults.calls.iter().for_each(|fault| self.add(fault.clone()));
    }

    /// Adds a fault, which counts matching calls from now on.
    pub fn add(&mut self, fault: CallFault) {
        self.armed.push(ActiveFault { fault, matched: 0 });
    }

    /// Removes all faults of calls.
    pub fn clear(&mut self) {
        self.armed.clear();
    }

    /// Returns whether no fault can affect a call.
    pub fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }

    /// Returns what becomes of a request that `sender` sends this long after the start of the scenario.
    /// Delays add up; of the other faults that apply, the one added first decides.
    pub fn delivery(&mut self, sender: &str, asked: &Operation, at: Duration) -> Delivery {
        let mut fate = Delivery::default();
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
                fate.apply(fault, asked);
            }
        }
        fate
    }
}

/// An event of fault injection.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A scheduled event of a scenario happens.
    Scheduled(Box<EventKind>),
    /// The misbehavior with this number ends: the image is normal again, unless another one applies to
    /// it.
    MisbehaviorEnds(u64),
}

/// Runs `event`.
pub fn handle_event(world: &mut World, event: &Event) {
    match event {
        Event::Scheduled(what) => scheduled_event::carry_out(world, what),
        Event::MisbehaviorEnds(number) => misbehavior::end(world, *number),
    }
}

/// Returns the refusal of a request that exceeds AWS's rates, if it does.
pub(crate) fn throttling_error(world: &mut World, request: &Request<Bytes>) -> Option<ApiError> {
    if world.faults.throttling == Throttling::Off {
        return None;
    }
    let asked = Operation::of(request);
    let passes = world.faults.buckets.take(&world.params.rates, &asked, world.now);
    (!passes).then(|| refusal::throttling_error(asked.service))
}
