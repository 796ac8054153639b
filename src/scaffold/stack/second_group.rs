//! A second group in addition to a live one, so that cutover can shift traffic between two: a target group, an
//! empty Auto Scaling group, and the test rule.
//!
//! Neither CloudFormation nor Terraform can manage the rule that forwards traffic without describing all of it, so the
//! templates do not contain it: the first rollout adds the second target group to it with weight 0.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::StackError;
use crate::scaffold::filters::{self, render};

/// A second group like the live one. The values are those of the live group, as AWS returns them; names may
/// contain anything that AWS allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecondGroup {
    /// The Region, `ap-northeast-2`.
    pub region: String,
    /// The live Auto Scaling group.
    pub live_group: String,
    /// The name of the new Auto Scaling group.
    pub group: String,
    /// The name of the new target group: at most 32 characters, `[a-zA-Z0-9-]`.
    pub target_group: String,
    /// The VPC, `vpc-…`.
    pub vpc: String,
    /// The target group's protocol, `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The target group's protocol version: `HTTP1`, `HTTP2` or `GRPC`.
    pub protocol_version: String,
    /// The port that targets are registered with.
    pub port: u16,
    /// The target group's health check.
    pub health_check: HealthCheck,
    /// The target group attributes that differ from AWS's defaults, by key: `deregistration_delay.timeout_seconds`.
    pub attributes: Vec<(String, String)>,
    /// The launch template, `lt-…`.
    pub launch_template: String,
    /// The number of the version that the live group launches from.
    pub version: u64,
    /// The subnets, `subnet-…`.
    pub subnets: Vec<String>,
    /// HealthCheckType: `ELB` or `EC2`.
    pub health_check_type: String,
    /// HealthCheckGracePeriod in seconds.
    pub grace_period: u32,
    /// MaxSize.
    pub max: u32,
    /// The live group's tags.
    pub tags: Vec<Tag>,
    /// The ARN of the test rule's listener.
    pub listener: String,
    /// The test rule's priority: free on the listener, and lower than that of every rule that forwards to the
    /// live group.
    pub priority: u32,
    /// The conditions of the live rule, so that the test rule does not match requests to other services. A rule
    /// has at most five values, including the header's (quotas of Elastic Load Balancing).
    pub conditions: Vec<Condition>,
    /// The rules that forward to the live target group.
    pub forwards: Vec<Forward>,
}

/// A target group's health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// `traffic-port`, or a number.
    pub port: String,
    /// The path.
    pub path: String,
    /// Seconds between checks.
    pub interval: u32,
    /// Seconds until a check fails.
    pub timeout: u32,
    /// Consecutive successful checks until a target is healthy.
    pub healthy: u32,
    /// Consecutive failed checks until a target is unhealthy.
    pub unhealthy: u32,
    /// The status codes that pass, `200-299`; for `GRPC`, gRPC codes, `0-99`.
    pub codes: String,
}

/// A tag of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// PropagateAtLaunch.
    pub propagate: bool,
}

/// A condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Condition {
    /// `host-header`.
    Host {
        /// Its patterns.
        values: Vec<String>,
    },
    /// `path-pattern`.
    Path {
        /// Its patterns.
        values: Vec<String>,
    },
    /// `http-header`.
    Header {
        /// The header.
        name: String,
        /// Its patterns.
        values: Vec<String>,
    },
    /// `http-request-method`.
    Method {
        /// `GET`, …
        values: Vec<String>,
    },
    /// `source-ip`.
    Source {
        /// CIDR blocks, `192.0.2.0/24`.
        values: Vec<String>,
    },
    /// `query-string`.
    Query {
        /// Keys and values; an empty key matches any key.
        pairs: Vec<(String, String)>,
    },
}

/// A rule or default action that forwards to the live target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forward {
    /// The ARN of the rule, or of the listener for a default action.
    pub arn: String,
    /// Whether it is a listener's default action.
    pub is_default: bool,
    /// The ARN of the target group that it forwards to.
    pub target_group: String,
    /// The duration of target group stickiness in seconds, if enabled.
    pub stickiness: Option<u32>,
    /// Whether the forward is the only action and has a single target group. Otherwise no command is printed,
    /// because it would remove the other actions, such as authentication.
    pub alone: bool,
}

impl SecondGroup {
    /// Returns the CloudFormation template.
    ///
    /// # Errors
    /// See [`StackError::Render`].
    pub fn cloudformation(&self) -> Result<String, StackError> {
        let template = include_str!("second-group.yaml.j2");
        Ok(render("second-group.yaml", template, self.values()?)?)
    }

    /// Returns the Terraform configuration in one file.
    ///
    /// # Errors
    /// See [`StackError::Render`].
    pub fn terraform(&self) -> Result<String, StackError> {
        let template = include_str!("second-group.tf.j2");
        let mut arguments = Vec::new();
        let mut stickiness = Vec::new();
        let mut unknown = Vec::new();
        for (key, value) in &self.attributes {
            let quoted = filters::hcl(value);
            match argument(key) {
                Some(("stickiness", name)) => stickiness.push(format!("{name} = {quoted}")),
                Some((_, name)) => arguments.push(format!("{name} = {quoted}")),
                None => unknown.push(format!("`{key}` is {quoted}")),
            }
        }
        let values = context! {
            arguments => arguments.join("\n"),
            stickiness => stickiness.join("\n"),
            unknown,
            ..self.values()?
        };
        Ok(render("second-group.tf", template, values)?)
    }

    /// Returns the AWS CLI commands that add the second target group to the rules with weight 0, as the first
    /// rollout does. They expect its ARN in `$GREEN`, which the templates set first.
    ///
    /// # Errors
    /// See [`StackError::Render`].
    pub fn weighted_rules(&self) -> Result<Vec<String>, StackError> {
        let printed = self.forwards.iter().filter(|forward| forward.alone);
        let lines = printed.map(|forward| {
            let template = include_str!("modify-rule.sh.j2");
            let values = context! { region => &self.region, forward => Serde(forward) };
            Ok(render("modify-rule.sh", template, values)?.trim_end().to_owned())
        });
        lines.collect()
    }

    fn values(&self) -> Result<Value, StackError> {
        let lines = self.weighted_rules()?;
        let all = self.forwards.iter().all(|forward| forward.alone);
        let this = Value::from(Serde(self));
        Ok(context! { lines, all, ..this })
    }
}

/// Returns the block and argument of Terraform's `aws_lb_target_group` for a target group attribute.
fn argument(attribute: &str) -> Option<(&'static str, &'static str)> {
    Some(match attribute {
        "deregistration_delay.timeout_seconds" => ("", "deregistration_delay"),
        "load_balancing.algorithm.type" => ("", "load_balancing_algorithm_type"),
        "load_balancing.algorithm.anomaly_mitigation" => ("", "load_balancing_anomaly_mitigation"),
        "load_balancing.cross_zone.enabled" => ("", "load_balancing_cross_zone_enabled"),
        "slow_start.duration_seconds" => ("", "slow_start"),
        "stickiness.enabled" => ("stickiness", "enabled"),
        "stickiness.type" => ("stickiness", "type"),
        "stickiness.lb_cookie.duration_seconds" => ("stickiness", "cookie_duration"),
        "stickiness.app_cookie.cookie_name" => ("stickiness", "cookie_name"),
        _ => return None,
    })
}
