//! An alarm as data.

use std::time::Duration;

use jiff::Timestamp;

use super::evaluate;
use super::evaluate::Evaluation;
use super::metrics::{MINUTE, floor};
use crate::wire::Value;
use crate::world::{World, later};

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// The threshold is not breached.
    Ok,
    /// The threshold is breached.
    Alarm,
    /// There is not enough data.
    InsufficientData,
}

impl AlarmState {
    /// Returns the API's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            AlarmState::Ok => "OK",
            AlarmState::Alarm => "ALARM",
            AlarmState::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// A metric alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Its settings, as given to PutMetricAlarm.
    pub settings: Value,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last put.
    pub updated: Timestamp,
    /// States that override the metric, oldest first.
    pub(super) overrides: Vec<StateOverride>,
    /// The last state change reported to a reader: when it was reported, when the state began, and the state.
    pub(super) last_transition: Option<(Timestamp, Timestamp, AlarmState)>,
}

/// A state that was set explicitly, by SetAlarmState or a scenario.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StateOverride {
    pub(super) at: Timestamp,
    /// When the metric determines the state again; never for a state that a scenario holds.
    pub(super) until: Option<Timestamp>,
    pub(super) state: AlarmState,
    pub(super) reason: String,
}

impl Alarm {
    /// Creates an alarm.
    pub(super) fn new(name: &str, settings: Value, now: Timestamp) -> Alarm {
        let name = name.to_owned();
        Alarm {
            name,
            settings,
            created: now,
            updated: now,
            overrides: Vec::new(),
            last_transition: None,
        }
    }

    /// Returns its ARN, `arn:aws:cloudwatch:…:alarm:<name>`.
    pub(super) fn arn(&self, world: &World) -> String {
        format!("arn:aws:cloudwatch:{}:{}:alarm:{}", world.region, world.account, self.name)
    }

    /// Returns its state at a time, and the reason.
    pub(super) fn at(&self, world: &World, at: Timestamp) -> Evaluation {
        let set = self.overrides.iter().rev().find(|set| set.at <= at);
        if let Some(set) = set.filter(|set| set.until.is_none_or(|until| at < until)) {
            return Evaluation { state: set.state, reason: set.reason.clone() };
        }
        // The first evaluation is in the minute after the alarm's creation.
        if at < later(floor(self.created, MINUTE), Duration::from_secs(MINUTE as u64)) {
            return Evaluation {
                state: AlarmState::InsufficientData,
                reason: "Unchecked: Initial alarm creation".to_owned(),
            };
        }
        evaluate::find(world, self, at)
    }
}
