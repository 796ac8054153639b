//! The configuration of target groups and rules, for creating others like them.

use aws_sdk_elasticloadbalancingv2::types::{Action, RuleCondition as AwsCondition};

use super::actions::RawActions;
use crate::convert::count;
use crate::{Aws, AwsError, ErrorClass};
use cutover_rollout::model::RuleId;

const TARGET_GROUPS: &str = "elasticloadbalancing:DescribeTargetGroups";
const RULES: &str = "elasticloadbalancing:DescribeRules";

/// A target group's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroupBlueprint {
    /// `vpc-…`
    pub vpc: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// `HTTP1`, `HTTP2` or `GRPC`.
    pub protocol_version: String,
    /// The port of the targets.
    pub port: u16,
    /// The health check: protocol, port, path.
    pub check: (String, String, String),
    /// HealthCheckIntervalSeconds and HealthCheckTimeoutSeconds.
    pub times: (u32, u32),
    /// HealthyThresholdCount and UnhealthyThresholdCount.
    pub thresholds: (u32, u32),
    /// The status codes that pass.
    pub codes: String,
    /// All attributes, by key.
    pub attributes: Vec<(String, String)>,
}

/// A condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleCondition {
    /// The field, `host-header`, `path-pattern`, `http-request-method` or `source-ip`, and its values.
    Values(String, Vec<String>),
    /// `http-header`: the header's name and its values.
    Header(String, Vec<String>),
    /// `query-string`: keys and values.
    Query(Vec<(String, String)>),
}

/// A rule's conditions, and whether it only forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleBlueprint {
    /// The rule.
    pub id: RuleId,
    /// Its conditions, empty for a default action; `None` if cutover does not know one of them.
    pub conditions: Option<Vec<RuleCondition>>,
    /// Whether the forward is its only action.
    pub forwards_only: bool,
}

impl Aws {
    /// Reads the configuration of a target group.
    ///
    /// # Errors
    /// If it does not exist or the request fails.
    pub async fn target_group_blueprint(
        &self,
        arn: &str,
    ) -> Result<TargetGroupBlueprint, AwsError> {
        let request = self.elbv2.describe_target_groups().target_group_arns(arn);
        let answer = self.read(TARGET_GROUPS, || request.clone().send()).await?;
        let aws = answer.target_groups().first().ok_or_else(|| {
            AwsError::local(
                TARGET_GROUPS,
                ErrorClass::NotFound,
                format!("the target group `{arn}` does not exist"),
            )
        })?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let protocol = aws.protocol().map_or("HTTP", |protocol| protocol.as_str()).to_owned();
        let check = aws.health_check_protocol().map_or(protocol.as_str(), |p| p.as_str());
        let matcher = aws.matcher();
        let codes = matcher.and_then(|m| m.http_code().or(m.grpc_code())).unwrap_or("200");
        Ok(TargetGroupBlueprint {
            vpc: text(aws.vpc_id()),
            check: (
                check.to_owned(),
                aws.health_check_port().unwrap_or("traffic-port").to_owned(),
                text(aws.health_check_path()),
            ),
            protocol,
            protocol_version: aws.protocol_version().unwrap_or("HTTP1").to_owned(),
            port: u16::try_from(count(aws.port())).unwrap_or(80),
            times: (
                count(aws.health_check_interval_seconds()),
                count(aws.health_check_timeout_seconds()),
            ),
            thresholds: (
                count(aws.healthy_threshold_count()),
                count(aws.unhealthy_threshold_count()),
            ),
            codes: codes.to_owned(),
            attributes: self.attributes(arn).await?.into_iter().collect(),
        })
    }

    /// Reads the configuration of rules, in the order of `ids`.
    ///
    /// # Errors
    /// If one does not exist or the request fails.
    pub async fn rule_blueprints(&self, ids: &[RuleId]) -> Result<Vec<RuleBlueprint>, AwsError> {
        let rules = ids.iter().filter_map(|id| match id {
            RuleId::Rule(arn) => Some(arn.clone()),
            RuleId::ListenerDefault(_) => None,
        });
        let rules: Vec<String> = rules.collect();
        let mut found = Vec::new();
        if !rules.is_empty() {
            let request = self.elbv2.describe_rules().set_rule_arns(Some(rules));
            let answer = self.read(RULES, || request.clone().send()).await?;
            found.extend(answer.rules().iter().map(|rule| RuleBlueprint {
                id: RuleId::Rule(rule.rule_arn().unwrap_or_default().to_owned()),
                conditions: rule.conditions().iter().map(condition).collect(),
                forwards_only: forwards_only(rule.actions()),
            }));
        }
        for default in self.rules(ids).await? {
            if matches!(default.rule.id, RuleId::ListenerDefault(_)) {
                let RawActions(actions) = &default.actions;
                found.push(RuleBlueprint {
                    id: default.rule.id,
                    conditions: Some(Vec::new()),
                    forwards_only: forwards_only(actions),
                });
            }
        }
        found.sort_by_key(|rule| ids.iter().position(|id| *id == rule.id));
        Ok(found)
    }
}

fn forwards_only(actions: &[Action]) -> bool {
    matches!(actions, [_])
}

/// Converts a condition; `None` for a field that this release does not know.
fn condition(aws: &AwsCondition) -> Option<RuleCondition> {
    let field = aws.field()?;
    // Regular expressions are in a separate list, which is not read.
    let values = |values: &[String]| {
        (!values.is_empty()).then(|| RuleCondition::Values(field.to_owned(), values.to_vec()))
    };
    match field {
        // Both have an older form, `Values` (API model).
        "host-header" => values(aws.host_header_config().map_or(aws.values(), |c| c.values())),
        "path-pattern" => values(aws.path_pattern_config().map_or(aws.values(), |c| c.values())),
        "http-request-method" => values(aws.http_request_method_config()?.values()),
        "source-ip" => values(aws.source_ip_config()?.values()),
        "http-header" => {
            let header = aws.http_header_config()?;
            let name = header.http_header_name()?.to_owned();
            let values = header.values().to_vec();
            (!values.is_empty()).then_some(RuleCondition::Header(name, values))
        }
        "query-string" => {
            let pairs = aws.query_string_config()?.values().iter();
            let pair = |(key, value): (Option<&str>, Option<&str>)| {
                (key.unwrap_or_default().to_owned(), value.unwrap_or_default().to_owned())
            };
            Some(RuleCondition::Query(pairs.map(|p| pair((p.key(), p.value()))).collect()))
        }
        _ => None,
    }
}
