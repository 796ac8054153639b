//! The parts of an architecture, as a scenario gives them.

use serde::{Deserialize, Serialize};

use crate::faults::values;

/// An Auto Scaling group and its target group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupPlan {
    /// The name of both.
    pub name: String,
    /// The least instances.
    pub min: u64,
    /// The most instances.
    pub max: u64,
    /// The instances at the beginning.
    pub desired: u64,
    /// The health check grace period in seconds.
    #[serde(default = "grace")]
    pub grace: u64,
    /// How it scales by itself; not at all, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ScalingPlan>,
}

/// A target tracking policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalingPlan {
    /// This average CPU utilisation, in per cent.
    Cpu(#[serde(deserialize_with = "values::amount")] f64),
    /// So many requests a minute to each target.
    RequestsPerTarget(#[serde(deserialize_with = "values::amount")] f64),
}

/// A rule that forwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePlan {
    /// Its priority.
    pub priority: u32,
    /// When it applies.
    pub when: WhenPlan,
    /// Target groups by name, with their weights.
    pub forward: Vec<(String, u32)>,
}

/// When a rule applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenPlan {
    /// The path is like this.
    Path(String),
    /// A header has this value.
    Header(String, String),
}

/// The health check grace period where a scenario gives none.
pub(super) fn grace() -> u64 {
    120
}
