//! The faults of a world, as data: what is injected, and what has been so far.

use std::time::Duration;

use jiff::Timestamp;

use super::call::{CallFault, Faults};
use super::delivery::Delivery;
use super::misbehavior::ActiveMisbehavior;
use super::operator::OperatorCall;
use super::refusal;
use super::saved_states::StateHistory;
use super::scheduled_event::EventKind;
use super::throttling::{Buckets, Rates, Throttling};
use crate::traffic::program::Program;
use crate::wire::{ApiError, Operation};
use crate::world::rng::Rng;

/// The faults of a world.
#[derive(Debug, Clone)]
pub struct State {
    /// Whether AWS's request rates apply.
    pub throttling: Throttling,
    /// How old the response to a read may be.
    pub max_staleness: Duration,
    pub(super) misbehaving: ActiveMisbehavior,
    /// The calls that operators have made.
    pub operator_calls: Vec<OperatorCall>,
    armed: Vec<ActiveFault>,
    buckets: Buckets,
    pub(super) history: StateHistory,
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
            misbehaving: ActiveMisbehavior::default(),
            operator_calls: Vec::new(),
            armed: Vec::new(),
            buckets: Buckets::default(),
            history: StateHistory::new(seed),
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

    /// Returns the refusal of a call that exceeds AWS's rates, if it does.
    pub(crate) fn throttling_error(
        &mut self,
        rates: &Rates,
        asked: &Operation,
        now: Timestamp,
    ) -> Option<ApiError> {
        let passes = self.buckets.take(rates, asked, now);
        (!passes).then(|| refusal::throttling_error(asked.service))
    }

    /// Applies all current misbehavior of a program's version.
    pub(crate) fn apply_misbehavior(&self, program: &mut Program) {
        self.misbehaving.apply(program);
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
