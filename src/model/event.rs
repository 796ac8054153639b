//! What a run tells: one stream of events, rendered for a terminal, as JSON lines, or elsewhere.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Colour, Counts, ImageReference, LayerProgress, Outcome, PerColour, RefreshStatus, Strategy,
};

/// An event and when it happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stamped {
    /// When, by AWS's clock (in the demo: the lab's).
    pub time: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Something worth telling. In JSON `event` names the kind in snake case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run began and holds the claim.
    Started {
        /// The service.
        service: String,
        /// How.
        strategy: Strategy,
        /// The number of its claim: the fence.
        claim: u64,
        /// The unfinished rollout that it continues.
        #[serde(skip_serializing_if = "Option::is_none")]
        continues: Option<u64>,
    },
    /// A preflight finding.
    Finding {
        /// `error` stops the rollout, `warning` does not.
        severity: &'static str,
        /// What is wrong.
        message: String,
        /// What to do.
        remedy: String,
        /// The AWS CLI line that shows or mends it.
        #[serde(skip_serializing_if = "Option::is_none")]
        cli: Option<String>,
    },
    /// A line of a build, as the engine's own tools show it.
    Build {
        /// Begins with the step, as in `#5 [2/4] RUN make`.
        line: String,
    },
    /// The image is in the registry.
    Image {
        /// Pinned by digest.
        image: ImageReference,
        /// Bytes uploaded now; zero where the registry had everything.
        uploaded: u64,
    },
    /// A layer of the image is in a registry, or on its way.
    Layer(LayerProgress),
    /// The launch template version to roll out.
    Version {
        /// The template's name.
        template: String,
        /// Its number.
        version: u64,
        /// The version that the live group runs.
        previous: u64,
        /// False where an earlier attempt had made it.
        created: bool,
    },
    /// A phase began.
    Phase {
        /// Its name.
        phase: &'static str,
        /// What happens in it, for people.
        message: String,
    },
    /// Something is waited for.
    Waiting {
        /// What.
        message: String,
        /// Until when at the latest; running out means taking back.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// An instance refresh moved.
    Refresh {
        /// The group.
        group: String,
        /// Its state.
        status: RefreshStatus,
        /// AWS's percentage, where it gives one.
        #[serde(skip_serializing_if = "Option::is_none")]
        percent: Option<u32>,
        /// AWS's reason.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A group's minimum was written.
    Minimum {
        /// The group.
        group: String,
        /// Its MinSize now.
        min: u32,
        /// Why.
        message: String,
    },
    /// Health of a group against what it needs.
    Health {
        /// The group.
        group: String,
        /// Targets that are healthy, InService and at the version.
        healthy: u32,
        /// How many of those are needed.
        needed: u32,
        /// Its instances.
        instances: u32,
    },
    /// Weights were set, or read back.
    Weights {
        /// The share of each colour in percent.
        weights: PerColour<u8>,
        /// False when set, true when AWS reads back the same and the other side's traffic follows.
        verified: bool,
    },
    /// A request over the test rule.
    Smoke {
        /// The path.
        path: String,
        /// The answer's status; `None` where there was none.
        status: Option<u16>,
        /// Whether it is the expected one.
        passed: bool,
    },
    /// The gate looked at the evidence.
    Judgement {
        /// `pass`, `fail` or `not enough evidence`.
        verdict: &'static str,
        /// What the new side's target group counted since the step began.
        counts: Counts,
        /// The reasoning, in one line.
        message: String,
    },
    /// Traffic goes back.
    TakingBack {
        /// Why.
        reason: String,
    },
    /// Something unexpected was seen, and what is done about it.
    Notice {
        /// One line.
        message: String,
    },
    /// The old group's retirement was scheduled.
    Retirement {
        /// The group.
        group: String,
        /// When.
        at: Timestamp,
        /// Its MinSize and DesiredCapacity then.
        size: u32,
    },
    /// The last event of every run.
    Outcome(Box<Outcome>),
}

impl Event {
    /// Whether it tells nothing that `earlier` has not told. A reason of AWS's that only counts down
    /// is no news.
    pub fn repeats(&self, earlier: &Event) -> bool {
        let words = |text: &Option<String>| -> String {
            text.iter().flat_map(|text| text.chars()).filter(|c| !c.is_ascii_digit()).collect()
        };
        match (self, earlier) {
            (
                Event::Refresh { group, status, percent, reason },
                Event::Refresh { group: g, status: s, percent: p, reason: r },
            ) => (group, status, percent) == (g, s, p) && words(reason) == words(r),
            _ => self == earlier,
        }
    }
}

impl PerColour<u8> {
    /// All for one colour.
    pub fn all(colour: Colour) -> PerColour<u8> {
        PerColour::from_fn(|c| if c == colour { 100 } else { 0 })
    }
}
