//! Earlier states of services, for stale reads.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::services::autoscaling::state as autoscaling;
use crate::services::ec2::state as ec2;
use crate::services::elbv2::state as elbv2;
use crate::services::ssm::state as ssm;
use crate::wire::Service;
use crate::world::rng::Rng;

/// Earlier states, oldest first.
#[derive(Debug, Clone)]
pub(super) struct StateHistory {
    pub(super) states: VecDeque<(Timestamp, SavedState)>,
    pub(super) rng: Rng,
}

/// The state of a service before a change.
#[derive(Debug, Clone)]
pub(super) enum SavedState {
    Autoscaling(Box<autoscaling::State>),
    Ec2(Box<ec2::State>),
    Elbv2(Box<elbv2::State>),
    Ssm(Box<ssm::State>),
}

impl StateHistory {
    /// Creates an empty history.
    pub(super) fn new(seed: u64) -> StateHistory {
        let rng = Rng::new(seed.rotate_left(48) ^ 0x7374_616c_6500_0000);
        StateHistory { states: VecDeque::new(), rng }
    }
}

impl SavedState {
    /// Returns the service whose state this is.
    pub(super) fn service(&self) -> Service {
        match self {
            SavedState::Autoscaling(_) => Service::Autoscaling,
            SavedState::Ec2(_) => Service::Ec2,
            SavedState::Elbv2(_) => Service::Elbv2,
            SavedState::Ssm(_) => Service::Ssm,
        }
    }
}
