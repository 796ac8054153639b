//! Instance refresh: the replacement of a group's instances by ones of another configuration.

mod bounds;
mod census;
mod describe;
mod preferences;
mod replace;
mod start;
mod steps;
mod stop;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::TemplateSpec;

pub use preferences::{Others, Preferences};

pub(super) use describe::describe;
pub(super) use start::start;
pub(super) use steps::step;
pub(super) use stop::{cancel, roll_back};

/// Where a refresh is (API model).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Asked for; nothing done yet.
    Pending,
    /// Replacing.
    InProgress,
    /// Everything replaced; waiting in case something goes wrong.
    Baking,
    /// Done; the group's saved configuration is now the desired one.
    Successful,
    /// Given up; the group has a mix of instances.
    Failed,
    /// Being cancelled.
    Cancelling,
    /// Cancelled; the group has a mix of instances.
    Cancelled,
    /// Replacing in the other direction.
    RollbackInProgress,
    /// The rollback has been given up.
    RollbackFailed,
    /// Rolled back.
    RollbackSuccessful,
}

impl Status {
    /// The API's name.
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

    /// Not at an end: it blocks another refresh.
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

    /// Launching and terminating by itself.
    pub fn replaces(self) -> bool {
        matches!(self, Status::InProgress | Status::RollbackInProgress)
    }
}

/// One instance refresh.
#[derive(Debug, Clone, PartialEq)]
pub struct Refresh {
    /// Its UUID.
    pub id: String,
    /// Where it is.
    pub status: Status,
    /// What it waits for, or how it ended.
    pub reason: Option<String>,
    /// When it was asked for; not told by the API.
    pub requested: Timestamp,
    /// When it went from Pending on (recorded once: not the time of the call).
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How far it is; none while Pending.
    pub percent: Option<u64>,
    /// The instances still to replace; none while Pending.
    pub to_update: Option<u64>,
    /// How it replaces.
    pub preferences: Preferences,
    /// What it replaces by; none for what the group has saved.
    pub desired: Option<TemplateSpec>,
    /// Its way back, once it is on it.
    pub rollback: Option<Rollback>,
    /// How many checkpoints are behind it.
    pub(super) checkpoint: usize,
    /// Until when it waits at a checkpoint, or bakes.
    pub(super) hold: Option<Timestamp>,
    /// When it last came nearer to its end.
    pub(super) progressed: Timestamp,
    /// How near that was: the fewest instances to replace, the most replacements available.
    pub(super) mark: (usize, usize),
    /// How many instances there were to replace when it started, or turned back.
    pub(super) goal: usize,
}

/// The [`Refresh::mark`] of one that has got nowhere.
const NOT_YET: (usize, usize) = (usize::MAX, 0);

/// The way back of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// How far the refresh was.
    pub percent: u64,
    /// How many instances it hadn't replaced.
    pub to_update: u64,
}
