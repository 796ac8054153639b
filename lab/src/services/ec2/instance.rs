//! An instance as data.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::traffic::program::Program;
use crate::wire::Value;

/// The state of an instance (API model: `InstanceStateName`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// Launched or started, not running yet.
    Pending,
    /// Running, whether or not its program works.
    Running,
    /// Being terminated.
    ShuttingDown,
    /// Terminated.
    Terminated,
    /// Being stopped.
    Stopping,
    /// Stopped; it can be started again.
    Stopped,
}

impl InstanceState {
    /// Returns the code and name in responses (API model).
    pub fn code(self) -> (i64, &'static str) {
        match self {
            InstanceState::Pending => (0, "pending"),
            InstanceState::Running => (16, "running"),
            InstanceState::ShuttingDown => (32, "shutting-down"),
            InstanceState::Terminated => (48, "terminated"),
            InstanceState::Stopping => (64, "stopping"),
            InstanceState::Stopped => (80, "stopped"),
        }
    }
}

/// One instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its Availability Zone.
    pub zone: String,
    /// The id of its subnet.
    pub subnet: String,
    /// Its private IPv4 address.
    pub private_ip: String,
    /// Its public IPv4 address, if it has one.
    pub public_ip: Option<String>,
    /// The ids of its security groups.
    pub security_groups: Vec<String>,
    /// Its launch time.
    pub launched: Timestamp,
    /// When its program begins to answer; none if it never will, or has stopped answering.
    pub responds_from: Option<Timestamp>,
    /// Its state.
    pub state: InstanceState,
    /// The program that it runs.
    pub program: Program,
    /// When it last entered the state running; none before that. The time until its status checks pass
    /// starts here.
    pub running_since: Option<Timestamp>,
    /// The id and version of its launch template; an empty id if it was launched without one.
    pub template: (String, u64),
    /// The launch template data that it was launched from.
    pub data: Value,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}
