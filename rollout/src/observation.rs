//! What one tick observed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{NotReady, Reading};
use crate::model::{Group, InstanceRefresh, Rule, ScheduledAction, Target, TargetGroupCounts};

/// An observation. Parts that the phase does not need are not read (see [`super::needs`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The time, by AWS's clock.
    pub now: Timestamp,
    /// Who holds the claim.
    pub claim: Claim,
    /// The groups by name. One that is absent no longer exists.
    pub groups: BTreeMap<String, ObservedGroup>,
    /// The rules of the plan, including the test rule. One that is absent no longer exists.
    pub rules: Vec<Rule>,
    /// Rules outside the plan that name one of the two target groups.
    pub other_rules: Reading<Vec<Rule>>,
    /// CloudWatch's counts, by target group ARN.
    pub counts: Reading<BTreeMap<String, TargetGroupCounts>>,
    /// The configured alarms by name. One that is absent no longer exists.
    pub alarms: Reading<BTreeMap<String, AlarmState>>,
    /// AWS's error, if it refused a change of the last tick for good.
    pub refused: Option<String>,
    /// The results of the smoke tests, if the last tick ran them.
    pub smoke: Option<Vec<SmokeResult>>,
    /// What only the final verification reads.
    pub proof: Option<Proof>,
}

/// Who holds the claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The highest number in the ledger.
    pub highest: u64,
    /// The run that holds that number, if it is not this one.
    pub successor: Option<Successor>,
}

/// A run that holds a higher number than this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    /// The time of its last heartbeat.
    pub heartbeat: Timestamp,
    /// Whether it is past its take-over: it acts, and is responsible for the traffic.
    pub is_acting: bool,
}

/// A group and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedGroup {
    /// The group.
    pub group: Group,
    /// The targets in its target group.
    pub targets: Vec<Target>,
    /// Its instance refreshes, newest first.
    pub refreshes: Reading<Vec<InstanceRefresh>>,
    /// Its scheduled actions.
    pub scheduled_actions: Reading<Vec<ScheduledAction>>,
}

impl ObservedGroup {
    /// Returns the instance refreshes, newest first.
    ///
    /// # Errors
    /// If they have not been read.
    pub fn refreshes(&self) -> Result<&[InstanceRefresh], NotReady> {
        let what = "the group's instance refreshes";
        self.refreshes.get(what).map(Vec::as_slice)
    }

    /// Returns the scheduled actions.
    ///
    /// # Errors
    /// If they have not been read.
    pub fn scheduled(&self) -> Result<&[ScheduledAction], NotReady> {
        self.scheduled_actions.get("the group's scheduled actions").map(Vec::as_slice)
    }
}

/// The state of a CloudWatch alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// `OK`: within the threshold.
    Ok,
    /// `ALARM`: outside the threshold.
    Alarm,
    /// `INSUFFICIENT_DATA`.
    InsufficientData,
}

impl AlarmState {
    /// Parses a CloudWatch `StateValue` (botocore); an unknown one counts as insufficient data.
    pub fn parse(word: &str) -> AlarmState {
        match word {
            "OK" => AlarmState::Ok,
            "ALARM" => AlarmState::Alarm,
            _ => AlarmState::InsufficientData,
        }
    }
}

/// The result of a smoke test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmokeResult {
    /// The request path.
    pub path: String,
    /// The HTTP status; `None` if there was no response.
    pub status: Option<u16>,
    /// Whether the status is the expected one.
    pub passed: bool,
}

/// What makes success a proof instead of an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// True if the claim and the rules were the same before and after everything else was read.
    pub unchanged_during_read: bool,
    /// True if the version's user data names the image by its digest, and its repository in no other way.
    pub user_data_is_pinned: bool,
}
