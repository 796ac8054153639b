//! The parts of a scenario's architecture.

use serde::{Deserialize, Serialize};

use crate::faults::values;

/// An Auto Scaling group and its target group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    /// The name of both.
    pub name: String,
    /// MinSize.
    pub min: u64,
    /// MaxSize.
    pub max: u64,
    /// DesiredCapacity at the start.
    pub desired: u64,
    /// The health check grace period in seconds.
    #[serde(default = "default_grace")]
    pub grace: u64,
    /// Its target tracking policy, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ScalingSpec>,
}

/// A target tracking policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalingSpec {
    /// The target average CPU utilization, in percent.
    Cpu(#[serde(deserialize_with = "values::amount")] f64),
    /// The target number of requests per minute to each target.
    RequestsPerTarget(#[serde(deserialize_with = "values::amount")] f64),
}

/// A listener rule that forwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Its priority.
    pub priority: u32,
    /// Its condition.
    pub when: ConditionSpec,
    /// Target groups by name, with their weights.
    pub forward: Vec<(String, u32)>,
}

/// The condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionSpec {
    /// The path matches this pattern.
    Path(String),
    /// A header has this value.
    Header(String, String),
}

/// Returns the default health check grace period, in seconds.
pub(super) fn default_grace() -> u64 {
    120
}
