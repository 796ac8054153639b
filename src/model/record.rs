//! A rollout's record in the ledger: what a later run must know to finish it or to take it back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Colour, Ending, ImageReference, PerColour, RuleId, Strategy};

/// One entry of the ledger: a JSON value of at most 4 KB (the limit of a standard parameter).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The number of the claim: the fence.
    pub number: u64,
    /// The service.
    pub service: String,
    /// Whose claim it is: tells a reply lost after the effect from somebody else's success.
    pub holder: String,
    /// The unfinished record whose facts this one inherited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<u64>,
    /// Forward, or back to the version before.
    #[serde(default)]
    pub goal: Goal,
    /// How.
    pub strategy: Strategy,
    /// What was wanted: two runs with the same intent want the same rollout.
    pub intent: String,
    /// The workflow of the Actions run: numbers of different workflows cannot be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The number of the Actions run, which grows with every run of a workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_number: Option<u64>,
    /// The commit that the image is of.
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
    /// The commit of that version, where the ledger knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_commit: Option<String>,
    /// Where it is.
    pub phase: Phase,
    /// Since when it is there, by AWS's clock.
    pub since: Timestamp,
    /// When its run last wrote: a stale heartbeat is a dead run.
    pub heartbeat: Timestamp,
    /// What the rollout found, wrote and must undo.
    pub fleet: FleetFacts,
    /// While taking over: where the predecessor was, if it wanted the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Phase>,
    /// True where the predecessor wanted something else: what it began is taken back first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restart: bool,
    /// Versions that predecessors of this rollout brought to the fleet before they were overtaken:
    /// what launches from one of them is our doing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abandoned: Vec<u64>,
    /// Why traffic goes back, once it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
}

/// What a rollout is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// A new version is brought to all traffic.
    #[default]
    Deploy,
    /// The version before the live one is.
    Rollback,
    /// Somebody asked for an unfinished rollout to be taken back.
    Undo,
}

impl Goal {
    /// How a rollout ends that reached its goal.
    pub fn reached(self) -> Ending {
        match self {
            Goal::Deploy => Ending::Succeeded,
            Goal::Rollback | Goal::Undo => Ending::RolledBack,
        }
    }
}

/// Where a rollout is. The order is the order of a rollout that goes well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// After taking over from an unfinished record: only reading.
    TakeOver,
    /// Image and launch template version are being made; the fleet is untouched.
    Prepare,
    /// Our scheduled retirement is removed.
    Free,
    /// The idle group, or the only one, is brought to the version.
    Refresh,
    /// The idle group is brought to the size of the live one.
    Size,
    /// Both groups enter every rule.
    Join,
    /// The idle group's targets become healthy.
    Healthy,
    /// Requests over the test rule.
    Smoke,
    /// A step's gates, then its weights.
    Shift,
    /// A step's weights stand; the evidence is judged.
    Bake,
    /// All weight is on the new side; the old side's traffic is seen to end.
    Settle,
    /// What exit 0 asserts is read.
    Verify,
    /// The old group's retirement is scheduled.
    Retire,
    /// Weights go back.
    TakeBack,
    /// What else was changed goes back.
    Undo,
    /// Ended.
    Done,
}

/// The facts of a fleet's shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FleetFacts {
    /// Two groups that take turns.
    TwoGroups(Box<TwoGroupsFacts>),
    /// One group.
    OneGroup(OneGroupFacts),
}

/// What a rollout over two groups found and wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwoGroupsFacts {
    /// The colour that was live.
    pub from: Colour,
    /// The step being reached, counted from zero.
    #[serde(default)]
    pub step: usize,
    /// Since when this run has seen the idle colour at weight 0 in every rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_since: Option<Timestamp>,
    /// Since when this run has seen a rule that it doesn't move give traffic to the idle colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_busy_since: Option<Timestamp>,
    /// Since when this run has seen none of its rules forward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruleless_since: Option<Timestamp>,
    /// When the current step's weights were read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifted: Option<Timestamp>,
    /// How many ready targets the current step's gate asked for. Fewer than these, at any later
    /// look, take the step back.
    #[serde(default)]
    pub floor: u32,
    /// How often weight has come back to the new side while the rest was undone.
    #[serde(default)]
    pub relapses: u8,
    /// Whether the idle colour may ever have borne weight.
    #[serde(default)]
    pub weighted: bool,
    /// Facts by colour.
    pub sides: PerColour<SideFacts>,
    /// The rules as they were before.
    pub rules: Vec<RuleFacts>,
    /// The test rule as it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<RuleFacts>,
    /// The instance refresh that is ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshFacts>,
}

/// What one group was before, and what we wrote into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideFacts {
    /// The saved template version.
    pub version: u64,
    /// Other versions that instances in service ran when the rollout began, ascending: a group that launches a newer
    /// version than its instances run, as after `cutover adopt` or a change that no refresh followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<u64>,
    /// MinSize.
    pub min: u32,
    /// True where DesiredCapacity was 0.
    pub empty: bool,
    /// The MinSizes that we wrote. Any of them may be what reads now: a write may be lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pinned: Vec<u32>,
    /// Our scheduled retirement that we deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retirement: Option<RetirementFacts>,
}

/// A scheduled retirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetirementFacts {
    /// When it was due.
    pub at: Timestamp,
    /// The MinSize and DesiredCapacity that it sets.
    pub size: u32,
}

/// A rule's weights before; `None` where the rule did not name the colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFacts {
    /// Which rule.
    pub id: RuleId,
    /// Its weights.
    pub weights: PerColour<Option<u16>>,
    /// Seconds of group stickiness, where it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<u32>,
}

/// A refresh that we asked for. It is known by being new, not by a token: Start takes none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshFacts {
    /// The version asked for.
    pub version: u64,
    /// The newest refresh of the group before we asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Its id, once seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What a rollout over one group found and wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneGroupFacts {
    /// The refresh to the new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshFacts>,
    /// The refresh back to the previous version, where AWS's own rollback was not possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<RefreshFacts>,
}

/// The longest reason that a record keeps, in bytes. EC2's encoded authorization failures alone are
/// longer than half of what a parameter holds.
const REASON: usize = 300;

impl Record {
    /// Notes why traffic goes back.
    pub fn set_reason(&mut self, reason: &str) {
        let end = (0..=REASON.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end));
        self.reason = Some(reason[..end.unwrap_or(0)].to_owned());
    }

    /// Whether its rollout has ended.
    pub fn is_finished(&self) -> bool {
        self.ending.is_some()
    }
}

impl Phase {
    /// The name used in the record, in events and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Phase::TakeOver => "take-over",
            Phase::Prepare => "prepare",
            Phase::Free => "free",
            Phase::Refresh => "refresh",
            Phase::Size => "size",
            Phase::Join => "join",
            Phase::Healthy => "healthy",
            Phase::Smoke => "smoke",
            Phase::Shift => "shift",
            Phase::Bake => "bake",
            Phase::Settle => "settle",
            Phase::Verify => "verify",
            Phase::Retire => "retire",
            Phase::TakeBack => "take-back",
            Phase::Undo => "undo",
            Phase::Done => "done",
        }
    }
}
