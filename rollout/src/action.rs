//! The changes that a decision can request. Each is one AWS call, sent once.

use jiff::Timestamp;

use super::mutant::{self, Mutant};
use crate::model::{Forward, RefreshPreferences, RuleId, ScheduledAction};

/// A change or the smoke tests, as a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// ModifyRule or ModifyListener: replaces the forward action and keeps all other actions.
    SetForward {
        /// The rule.
        rule: RuleId,
        /// The new forward action.
        forward: Forward,
    },
    /// UpdateAutoScalingGroup with only MinSize.
    SetMinSize {
        /// The Auto Scaling group.
        group: String,
        /// The new MinSize.
        min: u32,
    },
    /// UpdateAutoScalingGroup with MinSize and DesiredCapacity: only for a group that was empty.
    SetMinSizeAndDesired {
        /// The Auto Scaling group.
        group: String,
        /// The new MinSize and DesiredCapacity.
        size: u32,
    },
    /// StartInstanceRefresh with a desired configuration.
    StartRefresh {
        /// The Auto Scaling group.
        group: String,
        /// The launch template's ID.
        template: String,
        /// The desired launch template version.
        version: u64,
        /// How instances are replaced.
        preferences: RefreshPreferences,
    },
    /// CancelInstanceRefresh. It takes no ID, so it is sent only right after this rollout's refresh was observed to be
    /// active.
    CancelRefresh {
        /// The Auto Scaling group.
        group: String,
    },
    /// RollbackInstanceRefresh. It takes no ID either, and the same condition applies.
    RollbackRefresh {
        /// The Auto Scaling group.
        group: String,
    },
    /// PutScheduledUpdateGroupAction under the fixed name [`SCALE_IN_ACTION`].
    ScheduleScaleIn {
        /// The Auto Scaling group.
        group: String,
        /// When the action runs.
        at: Timestamp,
        /// The MinSize and DesiredCapacity that it sets.
        size: u32,
    },
    /// DeleteScheduledAction of the action named [`SCALE_IN_ACTION`].
    CancelScaleIn {
        /// The Auto Scaling group.
        group: String,
    },
    /// Sends the plan's smoke tests, which change nothing.
    RunSmokeTests,
}

impl Action {
    /// Sets a group's MinSize and nothing else.
    pub(super) fn min_size(group: String, min: u32) -> Action {
        if mutant::on(Mutant::WritesDesiredCapacity) {
            return Action::SetMinSizeAndDesired { group, size: min };
        }
        Action::SetMinSize { group, min }
    }
}

/// The name of the scheduled action that scales in the old group.
pub const SCALE_IN_ACTION: &str = "cutover-scale-in";

/// Returns cutover's scheduled scale-in among a group's scheduled actions.
pub fn scheduled_scale_in(scheduled: &[ScheduledAction]) -> Option<&ScheduledAction> {
    scheduled.iter().find(|action| action.name == SCALE_IN_ACTION)
}
