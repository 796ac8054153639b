//! A target group as data.

use std::collections::BTreeMap;
use std::time::Duration;

use super::health_check::HealthCheck;
use super::target::Target;

/// A target group: the instances that a forward action sends requests to, and their health check.
#[derive(Debug, Clone)]
pub struct TargetGroup {
    /// `arn:aws:elasticloadbalancing:…:targetgroup/<name>/<16 digits>`.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The port that targets receive requests on, unless registered with another one.
    pub port: u16,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The id of its VPC.
    pub vpc: String,
    /// Its health check.
    pub health: HealthCheck,
    /// Attributes by key.
    pub attributes: BTreeMap<String, String>,
    /// Its targets by instance id, including draining ones.
    pub targets: BTreeMap<String, Target>,
    /// Whether the next periodic health check is scheduled.
    pub(super) check_scheduled: bool,
}

impl TargetGroup {
    /// Returns `targetgroup/<name>/<16 digits>`, the value of CloudWatch's `TargetGroup` dimension.
    pub fn dimension(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }

    /// Returns how long a deregistered target is draining: 300 s by default.
    pub fn deregistration_delay(&self) -> Duration {
        let key = "deregistration_delay.timeout_seconds";
        Duration::from_secs(self.attributes.get(key).and_then(|v| v.parse().ok()).unwrap_or(300))
    }

    /// Returns whether nodes also send requests to targets in other zones: true for an Application Load Balancer,
    /// unless the attribute `load_balancing.cross_zone.enabled` is `false`.
    pub fn cross_zone(&self) -> bool {
        self.attributes.get("load_balancing.cross_zone.enabled").is_none_or(|v| v != "false")
    }
}
