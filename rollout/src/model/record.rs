//! The record of a rollout in the ledger: what a later run must know to finish it or roll it back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Color, ImageReference, PerColor, RuleId, Status, Strategy};

/// One record of the ledger: a JSON value of at most 4 KB (the limit of a standard parameter).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The number of the claim: the fence.
    pub number: u64,
    /// The service.
    pub service: String,
    /// The id of the claiming run. It distinguishes this run's own claim, whose response was lost, from the claim
    /// of another run.
    pub holder: String,
    /// The unfinished record whose facts this one inherited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<u64>,
    /// Deploy, or roll back to the previous version.
    #[serde(default)]
    pub goal: Goal,
    /// The strategy.
    pub strategy: Strategy,
    /// The intent: two runs with the same intent request the same rollout.
    pub intent: String,
    /// The workflow of the GitHub Actions run: run numbers of different workflows cannot be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The number of the GitHub Actions run, which grows with every run of a workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_number: Option<u64>,
    /// The commit that the image was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The image, once it is in the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageReference>,
    /// The launch template's id.
    pub template: String,
    /// The version to roll out, once it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The version that was live when the rollout began.
    pub previous: u64,
    /// The commit of that version, if the ledger has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_commit: Option<String>,
    /// The current phase.
    pub phase: Phase,
    /// When the phase began, by AWS's clock.
    pub since: Timestamp,
    /// When the run last wrote the record: a stale heartbeat means that the run is dead.
    pub heartbeat: Timestamp,
    /// What the rollout found and changed, and must undo in a rollback.
    pub fleet: FleetFacts,
    /// While taking over: the phase of the predecessor, if it had the same intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Phase>,
    /// True if the predecessor had another intent: its rollout is rolled back first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restart: bool,
    /// Versions that superseded predecessors rolled out: instances launched from them are not an external
    /// change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded_versions: Vec<u64>,
    /// The reason for the rollback, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How the rollout ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

/// The purpose of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// Bring a new version to all traffic.
    #[default]
    Deploy,
    /// Bring the previous version back to all traffic.
    Rollback,
    /// Roll back an unfinished rollout, as requested by `cutover rollback`.
    Undo,
}

impl Goal {
    /// Returns the status of a rollout that reached this goal.
    pub fn reached(self) -> Status {
        match self {
            Goal::Deploy => Status::Succeeded,
            Goal::Rollback | Goal::Undo => Status::RolledBack,
        }
    }
}

/// The phases of a rollout, in the order of a successful one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Observes without changes, after taking over an unfinished record.
    TakeOver,
    /// Pushes the image and creates the launch template version; the groups are not changed.
    Prepare,
    /// Cancels the scheduled scale-ins of both groups.
    CancelScaleIn,
    /// Refreshes the idle group, or the only one, to the version.
    Refresh,
    /// Scales the idle group to the size of the live one.
    ScaleOut,
    /// Adds both target groups to every rule.
    AddToRules,
    /// Waits for the idle group's targets to become healthy.
    Healthy,
    /// Runs smoke tests through the test rule.
    SmokeTest,
    /// Checks a step's gate, then sets its weights.
    Shift,
    /// Holds a step's weights while the evidence is judged.
    Bake,
    /// All traffic is on the new side; waits until the old side's traffic has ended.
    Settle,
    /// Verifies what exit code 0 asserts.
    Verify,
    /// Schedules the scale-in of the old group.
    ScheduleScaleIn,
    /// Restores traffic to the old side.
    RestoreTraffic,
    /// Undoes the other changes.
    Undo,
    /// The rollout has ended.
    Done,
}

/// What a rollout found and changed, by the number of groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FleetFacts {
    /// Two groups that alternate between live and idle.
    TwoGroups(Box<TwoGroupsFacts>),
    /// One group.
    OneGroup(OneGroupFacts),
}

/// What a rollout over two groups found and changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwoGroupsFacts {
    /// The color that was live: the old side.
    pub old: Color,
    /// The current step, counted from zero.
    #[serde(default)]
    pub step: usize,
    /// Since when this run has observed the idle color at weight 0 in every rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_since: Option<Timestamp>,
    /// Since when this run has observed a rule that it does not change send traffic to the idle color.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_busy_since: Option<Timestamp>,
    /// Since when this run has observed none of its rules forward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruleless_since: Option<Timestamp>,
    /// When the current step's weights were verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifted: Option<Timestamp>,
    /// How many ready targets the current step's gate required. If a later tick finds fewer, the step is
    /// rolled back.
    #[serde(default)]
    pub floor: u32,
    /// How often the new side received traffic again during the undo phase.
    #[serde(default)]
    pub relapses: u8,
    /// Whether the idle color may ever have received traffic.
    #[serde(default)]
    pub weighted: bool,
    /// The facts of each side.
    pub sides: PerColor<SideFacts>,
    /// The rules as they were before the rollout.
    pub rules: Vec<RuleFacts>,
    /// The test rule as it was before the rollout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<RuleFacts>,
    /// The instance refresh that this rollout started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshFacts>,
}

/// The state of one group before the rollout, and what the rollout changed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideFacts {
    /// The launch template version in the group's saved configuration.
    pub version: u64,
    /// Other versions that instances in service ran when the rollout began, ascending. There are some if the group's
    /// configuration is newer than its instances, as after `cutover adopt` or a change without a refresh.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<u64>,
    /// MinSize.
    pub min: u32,
    /// True if DesiredCapacity was 0.
    pub empty: bool,
    /// The MinSizes that this rollout set. Any of them may be the current one, because a write can be lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub min_sizes_set: Vec<u32>,
    /// The scheduled scale-in that this rollout canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_in: Option<ScaleInFacts>,
}

/// A scheduled scale-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleInFacts {
    /// When it was due.
    pub at: Timestamp,
    /// The MinSize and DesiredCapacity that it sets.
    pub size: u32,
}

/// A rule as it was before the rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFacts {
    /// The rule.
    pub id: RuleId,
    /// Its weights (0–999); `None` if the rule did not forward to the color.
    pub weights: PerColor<Option<u16>>,
    /// The duration of group stickiness in seconds, if it was enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<u32>,
}

/// An instance refresh that a rollout started. StartInstanceRefresh takes no client token, so the refresh is
/// recognized by being newer than `after`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshFacts {
    /// The desired launch template version.
    pub version: u64,
    /// The newest refresh of the group before this one was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The InstanceRefreshId, once observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What a rollout over one group found and changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneGroupFacts {
    /// The refresh to the new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshFacts>,
    /// The refresh to the previous version, if AWS's own rollback was not possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<RefreshFacts>,
}

/// The longest reason that a record keeps, in bytes. An encoded authorization failure of EC2 alone takes more than
/// half of a parameter.
const REASON: usize = 300;

impl Record {
    /// Sets the reason for the rollback, truncated if it is too long.
    pub fn set_reason(&mut self, reason: &str) {
        let end = (0..=REASON.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end));
        self.reason = Some(reason[..end.unwrap_or(0)].to_owned());
    }

    /// Returns true if the rollout has ended.
    pub fn is_finished(&self) -> bool {
        self.status.is_some()
    }
}

impl Phase {
    /// Returns the name used in the record, in events and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Phase::TakeOver => "take-over",
            Phase::Prepare => "prepare",
            Phase::CancelScaleIn => "cancel-scale-in",
            Phase::Refresh => "refresh",
            Phase::ScaleOut => "scale-out",
            Phase::AddToRules => "add-to-rules",
            Phase::Healthy => "healthy",
            Phase::SmokeTest => "smoke-test",
            Phase::Shift => "shift",
            Phase::Bake => "bake",
            Phase::Settle => "settle",
            Phase::Verify => "verify",
            Phase::ScheduleScaleIn => "schedule-scale-in",
            Phase::RestoreTraffic => "restore-traffic",
            Phase::Undo => "undo",
            Phase::Done => "done",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::ALL;

    #[test]
    fn phases_are_named_as_in_the_record() {
        for phase in ALL {
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.name());
        }
    }
}
