//! A target as data.

use jiff::Timestamp;

use super::target_state::{HealthReason, TargetState};

/// An instance in a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The port that it receives requests on.
    pub port: u16,
    /// The Availability Zone of the instance.
    pub zone: String,
    /// Its registration time.
    pub registered: Timestamp,
    /// Its health state.
    pub state: TargetState,
    /// The reason for its state, unless it is healthy.
    pub reason: Option<HealthReason>,
    /// The number of consecutive passed checks.
    pub(super) passed: u32,
    /// The number of consecutive failed checks.
    pub(super) failed: u32,
    /// The serial number of its registration or deregistration; events of earlier ones are ignored.
    pub(super) serial: u64,
}
