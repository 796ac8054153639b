//! A second group beside a live one, so that cutover can move traffic between two: a target group, an Auto Scaling
//! group at zero, and the test rule.
//!
//! Neither CloudFormation nor Terraform can take over the rule that carries traffic without describing all of it, so
//! the templates leave it alone: the first rollout adds the second target group to it, at weight 0.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::StackError;
use crate::scaffold::filters::{self, render};

/// A second group like the live one. Every value is the live group's, as AWS gives it; names may hold anything that
/// AWS allows in them.
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
    /// Its protocol version: `HTTP1`, `HTTP2` or `GRPC`.
    pub protocol_version: String,
    /// The port that targets are registered with.
    pub port: u16,
    /// Its health check.
    pub health_check: HealthCheck,
    /// Its attributes that differ from AWS's defaults, by key: `deregistration_delay.timeout_seconds`.
    pub attributes: Vec<(String, String)>,
    /// The launch template, `lt-…`.
    pub launch_template: String,
    /// The number of the version that the live group launches from.
    pub version: u64,
    /// The subnets, `subnet-…`.
    pub subnets: Vec<String>,
    /// `ELB` or `EC2`, as the live group has it.
    pub health_check_type: String,
    /// The health check's grace period in seconds.
    pub grace_period: u32,
    /// The most instances.
    pub max: u32,
    /// The live group's tags.
    pub tags: Vec<Tag>,
    /// The listener of the test rule, its ARN.
    pub listener: String,
    /// The test rule's priority: free on the listener, and lower than that of every rule that forwards to the live
    /// group.
    pub priority: u32,
    /// What the live rule asks for beside the header, so that the test rule catches no other service's requests. A
    /// rule has at most five values in all, the header's included (quotas of Elastic Load Balancing).
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
    /// Seconds between two checks.
    pub interval: u32,
    /// Seconds until a check has failed.
    pub timeout: u32,
    /// Checks that pass until a target is healthy.
    pub healthy: u32,
    /// Checks that fail until a target is unhealthy.
    pub unhealthy: u32,
    /// The status codes that pass, `200-299`; those of gRPC, `0-99`, where the protocol version is `GRPC`.
    pub codes: String,
}

/// A tag of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Whether instances get it, too.
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
        /// Blocks of addresses, `192.0.2.0/24`.
        values: Vec<String>,
    },
    /// `query-string`.
    Query {
        /// Keys with their values; an empty key for any.
        pairs: Vec<(String, String)>,
    },
}

/// A rule or default action that forwards to the live target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forward {
    /// The ARN of the rule; of the listener, where it is a default action.
    pub arn: String,
    /// Whether it is a listener's default action.
    pub is_default: bool,
    /// The ARN of the target group that it forwards to.
    pub target_group: String,
    /// Seconds of its group stickiness; none where that is off.
    pub stickiness: Option<u32>,
    /// Whether the forward is its only action. Authentication ahead of it would be lost by a line that names the forward
    /// alone, so none is printed then.
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

    /// Returns the Terraform configuration, one file.
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

    /// Returns the AWS CLI lines that add the second target group to the rules at weight 0, as the first rollout does
    /// by itself. `$GREEN` holds its ARN, which the templates read first.
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

/// The argument of Terraform's `aws_lb_target_group` for a target group's attribute, with the block that it is in.
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
