//! The plan: what `cutover plan` prints and what `cutover deploy` executes.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as friendly;
use serde::Serialize;

use crate::judge::Limits;
use crate::model::{PerColour, Preferences, RuleId, Strategy};

/// Everything that a rollout needs to know beforehand.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The service.
    pub service: String,
    /// How.
    pub strategy: Strategy,
    /// The fleet.
    pub shape: Shape,
    /// When waiting ends.
    pub deadlines: Deadlines,
    /// When the new side is worse.
    pub judge: Limits,
    /// The launch template that both groups use: its id.
    pub template: String,
    /// How long the old group stays warm; `None` leaves its retirement to a person.
    #[serde(serialize_with = "friendly::optional::serialize")]
    pub retire_after: Option<Duration>,
}

/// The fleet's shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Two groups that take turns behind weighted rules.
    TwoGroups(Pair),
    /// One group whose instances are replaced.
    OneGroup(OneGroup),
}

/// Two groups behind weighted rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The groups.
    pub sides: PerColour<Side>,
    /// Every rule and default action that forwards to the pair, apart from the test rule.
    pub rules: Vec<RuleId>,
    /// The rule that reaches the idle colour for tests.
    pub test_rule: Option<RuleId>,
    /// Zones in each of which a side needs a ready target: the load balancer's, where cross-zone
    /// balancing is off, else none.
    pub zones: Vec<String>,
    /// The weights to go through, the last of them 100.
    pub steps: Vec<Step>,
    /// Requests that must succeed over the test rule before the first weight.
    pub smoke: Vec<Smoke>,
}

/// One of the two groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The Auto Scaling group's name.
    pub group: String,
    /// Its target group's ARN.
    pub target_group: String,
}

/// A share of the traffic and how long it is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The new side's share in percent.
    pub percent: u8,
    /// How long it stands at the least.
    #[serde(serialize_with = "friendly::required::serialize")]
    pub bake: Duration,
}

/// A request over the test rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Smoke {
    /// Where to.
    pub url: String,
    /// The header that the test rule wants.
    pub header: Option<(String, String)>,
    /// The path, for messages.
    pub path: String,
    /// The expected status.
    pub status: u16,
}

/// One group that is replaced in place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OneGroup {
    /// The Auto Scaling group's name.
    pub group: String,
    /// Its target group's ARN, where it has one.
    pub target_group: Option<String>,
    /// How the refresh replaces.
    pub preferences: Preferences,
}

/// How long each kind of waiting may last. Running out means taking back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Deadlines {
    /// For an instance refresh.
    #[serde(serialize_with = "friendly::required::serialize")]
    pub refresh: Duration,
    /// For targets to become healthy, and for any change to be seen.
    #[serde(serialize_with = "friendly::required::serialize")]
    pub healthy: Duration,
    /// For enough evidence to judge.
    #[serde(serialize_with = "friendly::required::serialize")]
    pub evidence: Duration,
}
