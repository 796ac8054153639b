//! What one look at the world gave.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Group, InstanceRefresh, Rule, ScheduledAction, Target, TargetGroupCounts};

/// One look. Parts that the phase does not need are left empty (see [`super::needs`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// When, by AWS's clock.
    pub now: Timestamp,
    /// The ledger.
    pub claim: Claim,
    /// The groups by name. One that is absent does not exist any more.
    pub groups: BTreeMap<String, GroupSeen>,
    /// The rules of the plan, test rule included. One that is absent does not exist any more.
    pub rules: Vec<Rule>,
    /// Rules that name the pair and are none of the plan's.
    pub others: Vec<Rule>,
    /// What CloudWatch counted, by target group ARN.
    pub counts: BTreeMap<String, TargetGroupCounts>,
    /// The configured alarms.
    pub alarms: Vec<(String, AlarmState)>,
    /// The last turn's change, if AWS refused it in a way that trying again does not mend.
    pub refused: Option<String>,
    /// What the smoke requests gave, if the last turn sent them.
    pub smoke: Option<Vec<SmokeResult>>,
    /// What only the last verification reads.
    pub proof: Option<Proof>,
}

/// Who holds the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The highest number that exists.
    pub highest: u64,
    /// The record behind that number where it is not ours.
    pub successor: Option<Successor>,
}

/// The run that holds a higher number than ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    /// Its last heartbeat.
    pub heartbeat: Timestamp,
    /// Whether it is past reading: it acts, and traffic is in its hands.
    pub acting: bool,
}

/// A group and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSeen {
    /// The group.
    pub group: Group,
    /// Its target group's targets.
    pub targets: Vec<Target>,
    /// Its instance refreshes, newest first.
    pub refreshes: Vec<InstanceRefresh>,
    /// Its scheduled actions.
    pub scheduled: Vec<ScheduledAction>,
}

/// The state of a CloudWatch alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// Within its limits.
    Ok,
    /// Over them.
    Alarm,
    /// Without data.
    InsufficientData,
}

impl AlarmState {
    /// Reads CloudWatch's word (BC `StateValue`); an unknown one is no data.
    pub fn parse(word: &str) -> AlarmState {
        match word {
            "OK" => AlarmState::Ok,
            "ALARM" => AlarmState::Alarm,
            _ => AlarmState::InsufficientData,
        }
    }
}

/// The answer to a smoke request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmokeResult {
    /// The path.
    pub path: String,
    /// The status; `None` where no answer came.
    pub status: Option<u16>,
    /// Whether it is the expected one.
    pub passed: bool,
}

/// What makes success more than an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// True where claim and rules read the same before and after everything else.
    pub bracketed: bool,
    /// True where the version's user data names the image by its digest, and its repository in no
    /// other way.
    pub pinned: bool,
}
