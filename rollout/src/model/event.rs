//! Events: everything that a run reports, rendered for a terminal, as JSON lines, or on GitHub.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Color, Counts, ImageReference, LayerProgress, Outcome, PerColor, RefreshStatus, Strategy,
};

/// An event with its time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimedEvent {
    /// When it happened, by AWS's clock (in the demo, by the lab's).
    pub time: Timestamp,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// Something that a run reports. In JSON, `event` is the kind in snake case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run holds the claim and starts.
    Started {
        /// The service.
        service: String,
        /// The strategy.
        strategy: Strategy,
        /// The number of its claim: the fence.
        claim: u64,
        /// The unfinished rollout that it takes over or resumes.
        #[serde(skip_serializing_if = "Option::is_none")]
        continues: Option<u64>,
    },
    /// A preflight finding.
    Finding {
        /// `error` blocks the rollout, `warning` does not.
        severity: &'static str,
        /// What is wrong.
        message: String,
        /// How to fix it.
        remedy: String,
        /// The AWS CLI command that shows or fixes it.
        #[serde(skip_serializing_if = "Option::is_none")]
        cli: Option<String>,
    },
    /// A line of build output, as the engine's own tools print it.
    Build {
        /// The line. It begins with the step, as in `#5 [2/4] RUN make`.
        line: String,
    },
    /// The image is in the registry.
    Image {
        /// The image, pinned by digest.
        image: ImageReference,
        /// Bytes uploaded by this run; zero if the registry had everything.
        uploaded: u64,
    },
    /// A layer of the image is being pushed, or is in the registry.
    Layer(LayerProgress),
    /// The launch template version to roll out.
    Version {
        /// The template's name.
        template: String,
        /// The version's number.
        version: u64,
        /// The version that the live group runs.
        previous: u64,
        /// False if an earlier attempt created it.
        created: bool,
    },
    /// A phase started.
    Phase {
        /// The name of the phase.
        phase: &'static str,
        /// What happens in it, for people.
        message: String,
    },
    /// The run waits.
    Waiting {
        /// What it waits for.
        message: String,
        /// The deadline, after which the run rolls back.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// An instance refresh made progress.
    Refresh {
        /// The Auto Scaling group.
        group: String,
        /// The status of the refresh.
        status: RefreshStatus,
        /// AWS's percentage, if it reports one.
        #[serde(skip_serializing_if = "Option::is_none")]
        percent: Option<u32>,
        /// AWS's reason.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The run set a group's MinSize.
    MinSize {
        /// The Auto Scaling group.
        group: String,
        /// The new MinSize.
        min: u32,
        /// The reason.
        message: String,
    },
    /// The health of a group compared with what the gate needs.
    Health {
        /// The Auto Scaling group.
        group: String,
        /// The number of ready targets: healthy, InService and launched from the version.
        healthy: u32,
        /// How many of those are needed.
        needed: u32,
        /// The number of instances in the group.
        instances: u32,
    },
    /// The run set the weights, or verified them.
    Traffic {
        /// The share of each color in percent.
        shares: PerColor<u8>,
        /// False when they are set, true when AWS returns the same weights and the old side's traffic follows.
        verified: bool,
    },
    /// A smoke test: a request through the test rule.
    Smoke {
        /// The request path.
        path: String,
        /// The HTTP status; `None` if there was no response.
        status: Option<u16>,
        /// Whether it is the expected status.
        passed: bool,
    },
    /// The evidence was judged.
    Judgment {
        /// `pass`, `fail` or `insufficient`.
        verdict: &'static str,
        /// What the new side's target group has counted since the step began.
        counts: Counts,
        /// The reasoning, in one line.
        message: String,
    },
    /// The run restores traffic to the old side.
    RollingBack {
        /// The reason.
        reason: String,
    },
    /// Something unexpected happened.
    Notice {
        /// What happened and what the run does about it, in one line.
        message: String,
    },
    /// The scale-in of the old group was scheduled.
    ScaleInScheduled {
        /// The Auto Scaling group.
        group: String,
        /// When the scheduled action runs.
        at: Timestamp,
        /// The MinSize and DesiredCapacity that it sets.
        size: u32,
    },
    /// The last event of every run.
    Outcome(Box<Outcome>),
}

impl Event {
    /// Returns true if this event adds nothing to `earlier`. AWS's reason of a refresh counts as the same if
    /// only its numbers differ.
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

impl PerColor<u8> {
    /// Returns shares of 100% for `color` and 0% for the other color.
    pub fn all(color: Color) -> PerColor<u8> {
        PerColor::from_fn(|c| if c == color { 100 } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refresh(group: &str, percent: u32, reason: &str) -> Event {
        Event::Refresh {
            group: group.to_owned(),
            status: RefreshStatus::InProgress,
            percent: Some(percent),
            reason: Some(reason.to_owned()),
        }
    }

    #[test]
    fn an_event_repeats_one_that_says_the_same() {
        let earlier = refresh("blue", 50, "Waiting for 300 seconds.");
        assert!(earlier.repeats(&earlier));
        // AWS counts down in its reason.
        assert!(refresh("blue", 50, "Waiting for 295 seconds.").repeats(&earlier));
        assert!(!refresh("blue", 50, "Replacing 2 instances.").repeats(&earlier));
        assert!(!refresh("blue", 75, "Waiting for 300 seconds.").repeats(&earlier));
        assert!(!refresh("green", 50, "Waiting for 300 seconds.").repeats(&earlier));
        let notice = |message: &str| Event::Notice { message: message.to_owned() };
        assert!(notice("4 targets").repeats(&notice("4 targets")));
        assert!(!notice("5 targets").repeats(&notice("4 targets")));
        assert!(!notice("4 targets").repeats(&earlier));
    }

    #[test]
    fn all_traffic_is_one_colors() {
        assert_eq!(PerColor::all(Color::Blue), PerColor { blue: 100, green: 0 });
        assert_eq!(PerColor::all(Color::Green), PerColor { blue: 0, green: 100 });
    }
}
