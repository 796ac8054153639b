//! The plan: what `cutover plan` prints and `cutover deploy` carries out.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as friendly;
use serde::Serialize;

use crate::judge::Limits;
use crate::model::{PerColor, RefreshPreferences, RuleId, Strategy};

/// Everything that a rollout has to know before it starts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The service.
    pub service: String,
    /// The strategy.
    pub strategy: Strategy,
    /// Whether there are two groups or one, and their details.
    pub shape: Shape,
    /// How long the rollout waits.
    pub deadlines: Deadlines,
    /// The limits beyond which the new version is bad.
    pub judge: Limits,
    /// The ID of the launch template that the groups use.
    pub template: String,
    /// How long the old group keeps its instances for a fast rollback; `None` leaves its scale-in to a person.
    #[serde(serialize_with = "friendly::optional::serialize")]
    pub scale_in_after: Option<Duration>,
}

/// Whether a service has two groups or one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Two groups that take turns behind weighted rules.
    TwoGroups(Pair),
    /// One group whose instances are replaced in place.
    OneGroup(OneGroup),
}

/// Two groups behind weighted rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The sides by color.
    pub sides: PerColor<Side>,
    /// Every rule and default action that forwards to the pair, except the test rule.
    pub rules: Vec<RuleId>,
    /// The rule that sends smoke tests to the idle side.
    pub test_rule: Option<RuleId>,
    /// The zones in each of which a side needs a ready target: the load balancer's if cross-zone load balancing is
    /// off, otherwise none.
    pub zones: Vec<String>,
    /// The steps to go through; the last one is 100%.
    pub steps: Vec<Step>,
    /// The smoke tests that must pass before the new side receives traffic.
    pub smoke: Vec<Smoke>,
}

/// One of the two groups, with its target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The Auto Scaling group's name.
    pub group: String,
    /// Its target group's ARN.
    pub target_group: String,
}

/// A share of the traffic, and how long it bakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The new side's share in percent.
    pub percent: u8,
    /// The least time for which the share is held and judged.
    #[serde(serialize_with = "friendly::required::serialize")]
    pub bake: Duration,
}

/// A smoke test: a request through the test rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Smoke {
    /// The URL.
    pub url: String,
    /// The header that the test rule matches.
    pub header: Option<(String, String)>,
    /// The path, for messages.
    pub path: String,
    /// The expected HTTP status.
    pub status: u16,
}

/// One group whose instances are replaced in place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OneGroup {
    /// The Auto Scaling group's name.
    pub group: String,
    /// Its target group's ARN, if it has one.
    pub target_group: Option<String>,
    /// How the instance refresh replaces instances.
    pub preferences: RefreshPreferences,
}

/// How long each kind of waiting may last. A rollout that exceeds a deadline is rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Deadlines {
    /// For an instance refresh.
    #[serde(serialize_with = "friendly::required::serialize")]
    pub refresh: Duration,
    /// For targets to become healthy, and for any change to become visible.
    #[serde(serialize_with = "friendly::required::serialize")]
    pub healthy: Duration,
    /// For enough evidence to judge.
    #[serde(serialize_with = "friendly::required::serialize")]
    pub evidence: Duration,
}
