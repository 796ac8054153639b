//! Elastic Load Balancing v2: rules that forward, target groups, targets and their health.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A listener rule, or a listener's default action.
///
/// Both are identified by ARNs. They differ because a default action can only be changed through its
/// listener (ModifyRule answers OperationNotPermitted).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleId {
    /// A rule, by its ARN (`…:listener-rule/app/…`).
    Rule(String),
    /// A listener's default action, by the listener's ARN (`…:listener/app/…`).
    ListenerDefault(String),
}

impl RuleId {
    /// Returns the ARN of the rule or the listener.
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

/// A weighted forward action, normalized: AWS returns a forward to a single target group in two forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// Target group ARNs and their weights (0–999), ordered by ARN.
    pub weights: Vec<(String, u16)>,
    /// Target group stickiness, if enabled.
    pub stickiness: Option<Stickiness>,
}

/// The target group stickiness of a forward action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stickiness {
    /// How long a client stays with its target group (1–604800 s).
    pub seconds: u32,
}

impl Forward {
    /// Makes a forward to a single target group. AWS returns it with weight 1.
    pub fn only(target_group: &str) -> Forward {
        Forward { weights: vec![(target_group.to_owned(), 1)], stickiness: None }
    }

    /// Returns the weight of `target_group`; `None` if it is not part of the forward.
    pub fn weight(&self, target_group: &str) -> Option<u16> {
        self.weights.iter().find(|(arn, _)| arn == target_group).map(|(_, weight)| *weight)
    }

    /// Returns true if the forward includes `target_group`, at any weight.
    pub fn names(&self, target_group: &str) -> bool {
        self.weight(target_group).is_some()
    }

    /// Returns the share of `target_group` in percent, rounded up so that any traffic counts.
    pub fn share(&self, target_group: &str) -> u8 {
        let total: u32 = self.weights.iter().map(|(_, weight)| u32::from(*weight)).sum();
        let own = u32::from(self.weight(target_group).unwrap_or(0));
        if total == 0 { 0 } else { (own * 100).div_ceil(total) as u8 }
    }
}

/// The conditions of a rule, as far as cutover needs to distinguish rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleConditions {
    /// Header conditions: the name and the accepted values.
    pub headers: Vec<(String, Vec<String>)>,
    /// Accepted hosts.
    pub hosts: Vec<String>,
    /// Accepted paths.
    pub paths: Vec<String>,
    /// Whether there are conditions of other kinds.
    pub others: bool,
}

/// A listener rule or default action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The ARN.
    pub id: RuleId,
    /// The ARN of the listener.
    pub listener: String,
    /// The priority; `None` for a default action. The lowest number is evaluated first.
    pub priority: Option<u32>,
    /// The conditions; empty for a default action.
    pub conditions: RuleConditions,
    /// The forward action; `None` if the last action is a redirect or a fixed response.
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
    /// The DNS name.
    pub dns_name: String,
    /// The enabled Availability Zones, sorted.
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
    /// The load balancers that use it: at most one, none while no rule forwards to it.
    pub load_balancers: Vec<String>,
    /// The protocol of the targets. Like port and health check path, it must be the same for both colors.
    pub protocol: String,
    /// The port of the targets.
    pub port: u16,
    /// The path of the health check.
    pub health_path: String,
    /// The time between health checks.
    pub health_interval: Duration,
    /// Consecutive successful checks until an unhealthy target is healthy.
    pub healthy_threshold: u32,
    /// Consecutive failed checks until a target is unhealthy.
    pub unhealthy_threshold: u32,
    /// `deregistration_delay.timeout_seconds`.
    pub deregistration_delay: Duration,
    /// `stickiness.enabled`.
    pub sticky: bool,
    /// `slow_start.duration_seconds`.
    pub slow_start: Duration,
    /// False if each load balancer node uses only the targets in its own zone.
    pub cross_zone: bool,
}

/// A target's health (botocore `TargetHealthStateEnum`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetHealth {
    /// Being registered, or being checked for the first time.
    Initial,
    /// Passing health checks.
    Healthy,
    /// Failing health checks.
    Unhealthy,
    /// Not checked, because no rule forwards to it or its zone is not enabled.
    Unused,
    /// Being deregistered.
    Draining,
    /// Not checked, for another reason.
    Unavailable,
}

/// A registered target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The instance id.
    pub id: String,
    /// The Availability Zone, if AWS reports it.
    pub zone: Option<String>,
    /// The health state.
    pub health: TargetHealth,
    /// AWS's reason code, for messages.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(weights: &[(&str, u16)]) -> Forward {
        let weights = weights.iter().map(|(arn, weight)| ((*arn).to_owned(), *weight));
        Forward { weights: weights.collect(), stickiness: None }
    }

    /// Any traffic counts, however little.
    #[test]
    fn shares_are_rounded_up() {
        let share = |own, other| forward(&[("own", own), ("other", other)]).share("own");
        assert_eq!([share(1, 1), share(50, 50), share(1, 2), share(2, 1)], [50, 50, 34, 67]);
        assert_eq!([share(1, 999), share(999, 1), share(0, 999)], [1, 100, 0]);
        // The rule answers with an error then.
        assert_eq!(share(0, 0), 0);
        assert_eq!(forward(&[("other", 1)]).share("own"), 0);
    }

    #[test]
    fn a_forward_names_a_target_group_at_any_weight() {
        let forward = forward(&[("none", 0), ("some", 7)]);
        assert_eq!([forward.weight("none"), forward.weight("some")], [Some(0), Some(7)]);
        assert!(forward.names("none") && forward.names("some") && !forward.names("other"));
        assert_eq!(Forward::only("some").share("some"), 100);
    }
}
