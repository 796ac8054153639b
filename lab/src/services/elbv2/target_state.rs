//! The health states of targets, and their reasons. Not supported: `unhealthy.draining`, which only Network Load
//! Balancers have; `Target.IpUnusable` and `Target.HealthCheckDisabled`, which targets of type `instance` can't
//! have; and `Elb.InternalError`, since the lab's nodes have no internal errors.

/// The states of `TargetHealthStateEnum` that the lab uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// Registered; its health isn't known yet.
    Initial,
    /// Receives requests.
    Healthy,
    /// Receives requests only if no target of its group is healthy.
    Unhealthy,
    /// Not checked, and receives no requests: its group is in no rule, its zone isn't enabled, or its instance
    /// isn't running.
    Unused,
    /// Deregistered; receives no new requests.
    Draining,
}

impl TargetState {
    /// Returns the API's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            TargetState::Initial => "initial",
            TargetState::Healthy => "healthy",
            TargetState::Unhealthy => "unhealthy",
            TargetState::Unused => "unused",
            TargetState::Draining => "draining",
        }
    }
}

/// Why a target is not healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthReason {
    /// It hasn't been checked yet.
    RegistrationInProgress,
    /// It has been checked, but its health isn't known yet.
    InitialHealthChecking,
    /// It responded with this status, which doesn't pass.
    ResponseCodeMismatch(u16),
    /// It didn't respond in time.
    Timeout,
    /// It accepted no connection.
    FailedHealthChecks,
    /// It isn't registered with the target group.
    NotRegistered,
    /// Its group is in no rule.
    NotInUse,
    /// The load balancer has no node in its zone.
    ZoneNotEnabled,
    /// It is draining.
    DeregistrationInProgress,
    /// Its instance isn't running.
    InvalidState,
}

impl HealthReason {
    /// Returns the code of `TargetHealthReasonEnum`.
    pub fn code(&self) -> &'static str {
        match self {
            HealthReason::RegistrationInProgress => "Elb.RegistrationInProgress",
            HealthReason::InitialHealthChecking => "Elb.InitialHealthChecking",
            HealthReason::ResponseCodeMismatch(_) => "Target.ResponseCodeMismatch",
            HealthReason::Timeout => "Target.Timeout",
            HealthReason::FailedHealthChecks => "Target.FailedHealthChecks",
            HealthReason::NotRegistered => "Target.NotRegistered",
            HealthReason::NotInUse | HealthReason::ZoneNotEnabled => "Target.NotInUse",
            HealthReason::DeregistrationInProgress => "Target.DeregistrationInProgress",
            HealthReason::InvalidState => "Target.InvalidState",
        }
    }

    /// Returns the description that goes with the code.
    pub fn description(&self) -> String {
        match self {
            HealthReason::RegistrationInProgress => "Target registration is in progress".to_owned(),
            HealthReason::InitialHealthChecking => "Initial health checks in progress".to_owned(),
            HealthReason::ResponseCodeMismatch(status) => {
                format!("Health checks failed with these codes: [{status}]")
            }
            HealthReason::Timeout => "Request timed out".to_owned(),
            HealthReason::FailedHealthChecks => "Health checks failed".to_owned(),
            HealthReason::NotRegistered => {
                "Target is not registered to the target group".to_owned()
            }
            HealthReason::NotInUse => {
                "Target group is not configured to receive traffic from the load balancer"
                    .to_owned()
            }
            HealthReason::ZoneNotEnabled => {
                "Target is in an Availability Zone that is not enabled for the load balancer"
                    .to_owned()
            }
            HealthReason::DeregistrationInProgress => {
                "Target deregistration is in progress".to_owned()
            }
            HealthReason::InvalidState => "Target is in the stopped state".to_owned(),
        }
    }
}
