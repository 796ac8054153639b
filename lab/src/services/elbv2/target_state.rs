//! The states of a target, and the reasons for them. Not among them: `unhealthy.draining`, which only
//! Network Load Balancers have; `Target.IpUnusable` and `Target.HealthCheckDisabled`, which instances
//! cannot have; and `Elb.InternalError`, for the lab's nodes make none.

/// `TargetHealthStateEnum`, as far as the lab goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// Registered, no verdict yet.
    Initial,
    /// Gets requests.
    Healthy,
    /// Gets requests only if no target of its group is healthy.
    Unhealthy,
    /// Not checked and without requests: its group is in no rule, its zone is not enabled, or it
    /// doesn't run.
    Unused,
    /// Deregistered: no new requests.
    Draining,
}

impl TargetState {
    /// As the API writes it.
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
pub enum Reason {
    /// Not checked yet.
    RegistrationInProgress,
    /// Checked, without verdict yet.
    InitialHealthChecking,
    /// It answered with another status.
    ResponseCodeMismatch(u16),
    /// It didn't answer.
    Timeout,
    /// It took no connection.
    FailedHealthChecks,
    /// Not in the target group.
    NotRegistered,
    /// The group is in no rule.
    NotInUse,
    /// The load balancer has no node in the target's zone.
    ZoneNotEnabled,
    /// It is draining.
    DeregistrationInProgress,
    /// The instance doesn't run.
    InvalidState,
}

impl Reason {
    /// `TargetHealthReasonEnum`.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::RegistrationInProgress => "Elb.RegistrationInProgress",
            Reason::InitialHealthChecking => "Elb.InitialHealthChecking",
            Reason::ResponseCodeMismatch(_) => "Target.ResponseCodeMismatch",
            Reason::Timeout => "Target.Timeout",
            Reason::FailedHealthChecks => "Target.FailedHealthChecks",
            Reason::NotRegistered => "Target.NotRegistered",
            Reason::NotInUse | Reason::ZoneNotEnabled => "Target.NotInUse",
            Reason::DeregistrationInProgress => "Target.DeregistrationInProgress",
            Reason::InvalidState => "Target.InvalidState",
        }
    }

    /// The sentence that goes with it.
    pub fn description(&self) -> String {
        match self {
            Reason::RegistrationInProgress => "Target registration is in progress".to_owned(),
            Reason::InitialHealthChecking => "Initial health checks in progress".to_owned(),
            Reason::ResponseCodeMismatch(status) => {
                format!("Health checks failed with these codes: [{status}]")
            }
            Reason::Timeout => "Request timed out".to_owned(),
            Reason::FailedHealthChecks => "Health checks failed".to_owned(),
            Reason::NotRegistered => "Target is not registered to the target group".to_owned(),
            Reason::NotInUse => {
                "Target group is not configured to receive traffic from the load balancer"
                    .to_owned()
            }
            Reason::ZoneNotEnabled => {
                "Target is in an Availability Zone that is not enabled for the load balancer"
                    .to_owned()
            }
            Reason::DeregistrationInProgress => "Target deregistration is in progress".to_owned(),
            Reason::InvalidState => "Target is in the stopped state".to_owned(),
        }
    }
}
