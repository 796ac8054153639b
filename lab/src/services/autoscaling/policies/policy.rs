//! A scaling policy as data.

use crate::wire::Value;

/// A scaling policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its name, unique in the group.
    pub name: String,
    /// Its ARN, which alarms name as an action.
    pub arn: String,
    /// Its type.
    pub kind: PolicyType,
    /// False while it is disabled.
    pub enabled: bool,
    /// The alarms that a target tracking policy created: high, and low if it scales in.
    pub alarms: Vec<String>,
    /// Its settings, as put.
    pub(super) settings: Value,
    /// When it last lowered DesiredCapacity.
    pub(super) lowered: Option<jiff::Timestamp>,
}

/// The type of a policy (API model: `PolicyType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyType {
    /// One adjustment, followed by a cooldown.
    Simple,
    /// Adjustments by the metric's distance from the alarm's threshold.
    Step,
    /// Toward a target value of a metric.
    Tracking,
    /// By forecast; not simulated.
    Predictive,
}

impl PolicyType {
    pub(super) const NAMES: [(&str, PolicyType); 4] = [
        ("SimpleScaling", PolicyType::Simple),
        ("StepScaling", PolicyType::Step),
        ("TargetTrackingScaling", PolicyType::Tracking),
        ("PredictiveScaling", PolicyType::Predictive),
    ];

    pub(super) fn name(self) -> &'static str {
        PolicyType::NAMES
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("SimpleScaling", |(name, _)| name)
    }
}
