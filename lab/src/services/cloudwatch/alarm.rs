//! An alarm as data.

use jiff::Timestamp;

use crate::wire::Value;

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
    pub(super) fn arn(&self, region: &str, account: &str) -> String {
        format!("arn:aws:cloudwatch:{region}:{account}:alarm:{}", self.name)
    }
}

/// Reads `Threshold`, native or as text.
pub(super) fn threshold(settings: &Value) -> Option<f64> {
    match settings.get("Threshold") {
        Value::Float(threshold) => Some(*threshold),
        Value::Int(threshold) => Some(*threshold as f64),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    }
}
