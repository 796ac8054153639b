//! An instance refresh as data.

use jiff::Timestamp;

use super::super::template_spec::TemplateSpec;
use super::preferences::Preferences;

/// The status of a refresh (API model).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Requested; nothing has been done yet.
    Pending,
    /// Replacing instances.
    InProgress,
    /// Everything is replaced; waiting out the bake time.
    Baking,
    /// Done; the desired configuration is now the group's saved one.
    Successful,
    /// Failed; the group has a mix of instances.
    Failed,
    /// Being canceled.
    Cancelling,
    /// Canceled; the group has a mix of instances.
    Cancelled,
    /// Replacing instances back to the saved configuration.
    RollbackInProgress,
    /// The rollback failed.
    RollbackFailed,
    /// Rolled back.
    RollbackSuccessful,
}

impl Status {
    /// Returns the API's name of the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "Pending",
            Status::InProgress => "InProgress",
            Status::Baking => "Baking",
            Status::Successful => "Successful",
            Status::Failed => "Failed",
            Status::Cancelling => "Cancelling",
            Status::Cancelled => "Cancelled",
            Status::RollbackInProgress => "RollbackInProgress",
            Status::RollbackFailed => "RollbackFailed",
            Status::RollbackSuccessful => "RollbackSuccessful",
        }
    }

    /// Returns whether the refresh has not ended, and so blocks another one.
    pub fn is_active(self) -> bool {
        matches!(
            self,
            Status::Pending
                | Status::InProgress
                | Status::Baking
                | Status::Cancelling
                | Status::RollbackInProgress
        )
    }

    /// Returns whether the refresh launches and terminates instances itself.
    pub fn replaces(self) -> bool {
        matches!(self, Status::InProgress | Status::RollbackInProgress)
    }
}

/// One instance refresh.
#[derive(Debug, Clone, PartialEq)]
pub struct Refresh {
    /// Its UUID.
    pub id: String,
    /// Its status.
    pub status: Status,
    /// StatusReason: what it waits for, or why it ended.
    pub reason: Option<String>,
    /// When it was requested; the API doesn't report it.
    pub requested: Timestamp,
    /// When it left Pending (recorded once: StartTime is not the time of the call).
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// PercentageComplete; none while Pending.
    pub percent: Option<u64>,
    /// InstancesToUpdate; none while Pending.
    pub to_update: Option<u64>,
    /// Its preferences.
    pub preferences: Preferences,
    /// Its desired configuration; none for the group's saved one.
    pub desired: Option<TemplateSpec>,
    /// Its rollback, once one has started.
    pub rollback: Option<RollbackDetails>,
    /// The number of checkpoints passed.
    pub(super) checkpoint: usize,
    /// The end of the current checkpoint delay or bake time.
    pub(super) hold: Option<Timestamp>,
    /// When it last made progress.
    pub(super) progressed: Timestamp,
    /// The best so far: the fewest instances left to replace, and the most replacements available.
    pub(super) best_progress: (usize, usize),
    /// The number of instances to replace when it, or its rollback, started.
    pub(super) initial_count: usize,
}

/// The [`Refresh::mark`] of a refresh that has made no progress.
pub(super) const NO_PROGRESS: (usize, usize) = (usize::MAX, 0);

/// The rollback of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackDetails {
    /// Why it was rolled back.
    pub reason: String,
    /// When the rollback started.
    pub since: Timestamp,
    /// PercentageComplete when the rollback started.
    pub percent: u64,
    /// InstancesToUpdate when the rollback started.
    pub to_update: u64,
}
