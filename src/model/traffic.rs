//! Load balancers as Elastic Load Balancing v2 describes them: rules that forward, target groups,
//! targets and their health.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What holds a forward action: a listener rule, or a listener's default action.
///
/// Both are ARNs; the default rule can only be changed through its listener (ModifyRule answers
/// OperationNotPermitted), hence the difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleId {
    /// A rule, by its ARN (`…:listener-rule/app/…`).
    Rule(String),
    /// A listener's default action, by the listener's ARN (`…:listener/app/…`).
    ListenerDefault(String),
}

impl RuleId {
    /// The ARN of the rule or the listener.
    pub fn arn(&self) -> &str {
        match self {
            RuleId::Rule(arn) | RuleId::ListenerDefault(arn) => arn,
        }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.arn())
    }
}

/// A weighted forward, normalised: AWS echoes a single-group forward in two forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// Target group ARN and its weight (0–999), in the order of the ARNs.
    pub weights: Vec<(String, u16)>,
    /// Group stickiness, if enabled.
    pub stickiness: Option<Stickiness>,
}

/// Group stickiness of a forward action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stickiness {
    /// For how long a client stays with its target group (1–604800 s).
    pub seconds: u32,
}

impl Forward {
    /// A forward to one target group alone. A single-group forward reads back as weight 1.
    pub fn only(target_group: &str) -> Forward {
        Forward { weights: vec![(target_group.to_owned(), 1)], stickiness: None }
    }

    /// The weight of `target_group`: `None` where the forward does not name it.
    pub fn weight(&self, target_group: &str) -> Option<u16> {
        self.weights.iter().find(|(arn, _)| arn == target_group).map(|(_, weight)| *weight)
    }

    /// Whether it names `target_group`, at whatever weight.
    pub fn names(&self, target_group: &str) -> bool {
        self.weight(target_group).is_some()
    }

    /// The share in percent that `target_group` gets, rounded up so that any traffic at all shows.
    pub fn share(&self, target_group: &str) -> u8 {
        let total: u32 = self.weights.iter().map(|(_, weight)| u32::from(*weight)).sum();
        let own = u32::from(self.weight(target_group).unwrap_or(0));
        if total == 0 { 0 } else { (own * 100).div_ceil(total) as u8 }
    }
}

/// What a rule listens to, as far as the deployer needs to tell rules apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleMatch {
    /// Required header values: name and the accepted values.
    pub headers: Vec<(String, Vec<String>)>,
    /// Accepted hosts.
    pub hosts: Vec<String>,
    /// Accepted paths.
    pub paths: Vec<String>,
    /// Whether there are conditions of other kinds.
    pub others: bool,
}

/// A rule or default action that forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Which one.
    pub id: RuleId,
    /// The listener that it belongs to.
    pub listener: String,
    /// The priority; `None` for a default action. The lowest number is tried first.
    pub priority: Option<u32>,
    /// What it listens to; empty for a default action.
    pub matches: RuleMatch,
    /// The forward; `None` where the last action is a redirect or a fixed response.
    pub forward: Option<Forward>,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its ARN.
    pub arn: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// Its port.
    pub port: u16,
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Its ARN; the part after `loadbalancer/` is CloudWatch's dimension.
    pub arn: String,
    /// The name that it answers under.
    pub dns_name: String,
    /// The enabled zones, sorted.
    pub zones: Vec<String>,
    /// `application`, `network` or `gateway`.
    pub kind: String,
}

/// A target group with the attributes that matter to a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroup {
    /// Its ARN; the part from `targetgroup/` on is CloudWatch's dimension.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The load balancers that it serves: at most one, none while no rule names it.
    pub load_balancers: Vec<String>,
    /// Protocol and port of the targets, and the health check's path: must be alike in both colours.
    pub protocol: String,
    /// The targets' port.
    pub port: u16,
    /// The health check's path.
    pub health_path: String,
    /// Time between health checks.
    pub health_interval: Duration,
    /// Passed checks to be healthy again, failed checks to be unhealthy.
    pub healthy_threshold: u32,
    /// Failed checks until unhealthy.
    pub unhealthy_threshold: u32,
    /// `deregistration_delay.timeout_seconds`.
    pub deregistration_delay: Duration,
    /// `stickiness.enabled`.
    pub sticky: bool,
    /// `slow_start.duration_seconds`.
    pub slow_start: Duration,
    /// False where each zone's node only uses its own zone's targets.
    pub cross_zone: bool,
}

/// A target's health (BC `TargetHealthStateEnum`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetHealth {
    /// Being registered or checked for the first time.
    Initial,
    /// Passing.
    Healthy,
    /// Failing.
    Unhealthy,
    /// In no rule, or in a zone that is not enabled: not checked.
    Unused,
    /// Leaving.
    Draining,
    /// Not checked, for another reason.
    Unavailable,
}

/// A registered target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The instance.
    pub id: String,
    /// Its zone, where AWS tells.
    pub zone: Option<String>,
    /// Its health.
    pub health: TargetHealth,
    /// AWS's reason code, for messages.
    pub reason: Option<String>,
}
