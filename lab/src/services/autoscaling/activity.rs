//! Scaling activities.

use jiff::Timestamp;

/// The status of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityStatus {
    /// Started.
    InProgress,
    /// Waiting for the deregistration delay.
    Draining,
    /// Launched, and not in service yet.
    PreInService,
    /// Waiting for a lifecycle hook.
    MidLifecycleAction,
    /// Succeeded.
    Successful,
    /// Failed.
    Failed,
}

impl ActivityStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            ActivityStatus::InProgress => "InProgress",
            ActivityStatus::Draining => "WaitingForELBConnectionDraining",
            ActivityStatus::PreInService => "PreInService",
            ActivityStatus::MidLifecycleAction => "MidLifecycleAction",
            ActivityStatus::Successful => "Successful",
            ActivityStatus::Failed => "Failed",
        }
    }
}

/// One scaling activity.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Its UUID.
    pub id: String,
    /// What it does, such as `Launching a new EC2 instance: i-…`.
    pub description: String,
    /// Its cause.
    pub cause: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Its status.
    pub status: ActivityStatus,
    /// StatusMessage: what went wrong.
    pub message: Option<String>,
    /// A JSON object with the subnet and zone.
    pub details: String,
}
