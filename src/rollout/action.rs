//! The changes that a decision can ask for. Each is one call to AWS, sent once.

use jiff::Timestamp;

use super::mutant::{self, Mutant};
use crate::model::{Forward, Preferences, RuleId, ScheduledAction};

/// A change, or a probe, as a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// ModifyRule or ModifyListener: the forward action replaced, everything around it kept.
    SetForward {
        /// Which rule.
        rule: RuleId,
        /// The forward.
        forward: Forward,
    },
    /// UpdateAutoScalingGroup with MinSize alone.
    SetMinimum {
        /// The group.
        group: String,
        /// MinSize.
        min: u32,
    },
    /// UpdateAutoScalingGroup with MinSize and DesiredCapacity: only for a group that was empty.
    SetSize {
        /// The group.
        group: String,
        /// MinSize and DesiredCapacity.
        size: u32,
    },
    /// StartInstanceRefresh with a desired configuration.
    StartRefresh {
        /// The group.
        group: String,
        /// The launch template's id.
        template: String,
        /// Its version.
        version: u64,
        /// How.
        preferences: Preferences,
    },
    /// CancelInstanceRefresh: names no id, so it is sent only right after ours was seen active.
    CancelRefresh {
        /// The group.
        group: String,
    },
    /// RollbackInstanceRefresh: likewise.
    RollbackRefresh {
        /// The group.
        group: String,
    },
    /// PutScheduledUpdateGroupAction under our fixed name.
    Schedule {
        /// The group.
        group: String,
        /// When.
        at: Timestamp,
        /// MinSize and DesiredCapacity to set then.
        size: u32,
    },
    /// DeleteScheduledAction of our fixed name.
    Unschedule {
        /// The group.
        group: String,
    },
    /// The plan's smoke requests; no change to anything.
    Smoke,
}

impl Action {
    /// A group's MinSize and nothing else.
    pub(super) fn minimum(group: String, min: u32) -> Action {
        if mutant::on(Mutant::RemembersCapacity) {
            return Action::SetSize { group, size: min };
        }
        Action::SetMinimum { group, min }
    }
}

/// The name of our scheduled action.
pub const RETIREMENT: &str = "cutover-retire";

/// Our scheduled retirement among a group's scheduled actions.
pub fn retirement(scheduled: &[ScheduledAction]) -> Option<&ScheduledAction> {
    scheduled.iter().find(|action| action.name == RETIREMENT)
}
