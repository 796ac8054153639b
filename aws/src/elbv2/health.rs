//! Target groups and the health of their targets.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    TargetGroup as AwsTargetGroup, TargetHealthDescription, TargetHealthStateEnum,
};

use crate::convert::{count, seconds, sorted};
use crate::{Aws, AwsError, ErrorClass};
use cutover_rollout::model::{Target, TargetGroup, TargetHealth};

const TARGET_GROUPS: &str = "elasticloadbalancing:DescribeTargetGroups";

/// A target group as DescribeTargetGroups lists it, without its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroupSummary {
    /// Its ARN.
    pub arn: String,
    /// Its name, which is unique in a Region.
    pub name: String,
    /// The load balancers that use it: at most one, none while no rule forwards to it.
    pub load_balancers: Vec<String>,
    /// The type of its targets: `instance`, `ip`, `lambda` or `alb` (API model, TargetTypeEnum).
    pub target_type: String,
    /// The health check's path; empty for protocols without one.
    pub health_path: String,
}

impl Aws {
    /// Returns target groups by name, in the order of the names. Those that do not exist are omitted.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn target_groups_by_name(
        &self,
        names: &[&str],
    ) -> Result<Vec<TargetGroup>, AwsError> {
        let mut groups = Vec::new();
        // One request per name: for several, AWS does not report which one is missing.
        for name in names {
            let request = self.elbv2.describe_target_groups().names(*name);
            let found = self.read(TARGET_GROUPS, || request.clone().send()).await;
            let found = match found {
                Ok(answer) => answer.target_groups.unwrap_or_default(),
                Err(error) if error.class == ErrorClass::NotFound => continue,
                Err(error) => return Err(error),
            };
            for aws in &found {
                let attributes =
                    self.attributes(aws.target_group_arn().unwrap_or_default()).await?;
                groups.push(target_group(aws, &attributes));
            }
        }
        Ok(groups)
    }

    /// Returns all target groups in the Region, ordered by name.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn all_target_groups(&self) -> Result<Vec<TargetGroupSummary>, AwsError> {
        let request = self.elbv2.describe_target_groups();
        let all = self
            .read(TARGET_GROUPS, || {
                request.clone().into_paginator().items().send().collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let mut groups: Vec<TargetGroupSummary> = all.iter().map(summary).collect();
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(groups)
    }

    pub(super) async fn attributes(
        &self,
        target_group: &str,
    ) -> Result<BTreeMap<String, String>, AwsError> {
        let request = self.elbv2.describe_target_group_attributes().target_group_arn(target_group);
        let answer = self
            .read("elasticloadbalancing:DescribeTargetGroupAttributes", || request.clone().send())
            .await?;
        let attributes = answer.attributes.unwrap_or_default();
        Ok(attributes.into_iter().filter_map(|a| Some((a.key?, a.value?))).collect())
    }

    /// Returns the registered targets and their health, ordered by id.
    ///
    /// # Errors
    /// If the target group does not exist or the request fails.
    pub async fn target_health(&self, target_group: &str) -> Result<Vec<Target>, AwsError> {
        let request = self.elbv2.describe_target_health().target_group_arn(target_group);
        let answer = self
            .read("elasticloadbalancing:DescribeTargetHealth", || request.clone().send())
            .await?;
        let mut targets: Vec<Target> =
            answer.target_health_descriptions().iter().map(target).collect();
        targets.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(targets)
    }
}

fn target_group(aws: &AwsTargetGroup, attributes: &BTreeMap<String, String>) -> TargetGroup {
    let attribute = |key: &str| attributes.get(key).map(String::as_str);
    let duration = |key: &str| {
        Duration::from_secs(attribute(key).and_then(|value| value.parse().ok()).unwrap_or(0))
    };
    TargetGroup {
        arn: aws.target_group_arn().unwrap_or_default().to_owned(),
        name: aws.target_group_name().unwrap_or_default().to_owned(),
        load_balancers: sorted(aws.load_balancer_arns()),
        protocol: aws.protocol().map(|p| p.as_str().to_owned()).unwrap_or_default(),
        port: u16::try_from(count(aws.port())).unwrap_or(0),
        health_path: aws.health_check_path().unwrap_or_default().to_owned(),
        health_interval: seconds(aws.health_check_interval_seconds()),
        healthy_threshold: count(aws.healthy_threshold_count()),
        unhealthy_threshold: count(aws.unhealthy_threshold_count()),
        deregistration_delay: duration("deregistration_delay.timeout_seconds"),
        sticky: attribute("stickiness.enabled") == Some("true"),
        slow_start: duration("slow_start.duration_seconds"),
        // By default the load balancer's setting applies, which is on for Application Load Balancers (user guide), so
        // only an explicit `false` turns it off.
        cross_zone: attribute("load_balancing.cross_zone.enabled") != Some("false"),
    }
}

fn summary(aws: &AwsTargetGroup) -> TargetGroupSummary {
    TargetGroupSummary {
        arn: aws.target_group_arn().unwrap_or_default().to_owned(),
        name: aws.target_group_name().unwrap_or_default().to_owned(),
        load_balancers: sorted(aws.load_balancer_arns()),
        target_type: aws.target_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        health_path: aws.health_check_path().unwrap_or_default().to_owned(),
    }
}

fn target(aws: &TargetHealthDescription) -> Target {
    let health = aws.target_health();
    Target {
        id: aws.target().and_then(|target| target.id()).unwrap_or_default().to_owned(),
        zone: aws.target().and_then(|target| target.availability_zone()).map(str::to_owned),
        health: health
            .and_then(|health| health.state())
            .map_or(TargetHealth::Unavailable, target_health),
        reason: health.and_then(|health| health.reason()).map(|reason| reason.as_str().to_owned()),
    }
}

fn target_health(state: &TargetHealthStateEnum) -> TargetHealth {
    match state {
        TargetHealthStateEnum::Initial => TargetHealth::Initial,
        TargetHealthStateEnum::Healthy => TargetHealth::Healthy,
        TargetHealthStateEnum::Unhealthy => TargetHealth::Unhealthy,
        TargetHealthStateEnum::Unused => TargetHealth::Unused,
        TargetHealthStateEnum::Draining | TargetHealthStateEnum::UnhealthyDraining => {
            TargetHealth::Draining
        }
        _ => TargetHealth::Unavailable,
    }
}
