//! Load balancers, listeners and their rules.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    Listener as AwsListener, LoadBalancer as AwsLoadBalancer, Rule as AwsRule, RuleCondition,
};

use super::RawActions;
use crate::convert::count;
use crate::{Aws, AwsError, Change, ErrorClass};
use cutover_rollout::model::{Forward, Listener, LoadBalancer, Rule, RuleConditions, RuleId};

const LOAD_BALANCERS: &str = "elasticloadbalancing:DescribeLoadBalancers";
const LISTENERS: &str = "elasticloadbalancing:DescribeListeners";
const RULES: &str = "elasticloadbalancing:DescribeRules";
const MODIFY_RULE: &str = "elasticloadbalancing:ModifyRule";
const MODIFY_LISTENER: &str = "elasticloadbalancing:ModifyListener";

/// A rule with its actions, which a change of its forward must send along.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleWithActions {
    /// The rule.
    pub rule: Rule,
    /// Its actions, to pass to [`Aws::set_forward`].
    pub actions: RawActions,
}

impl Aws {
    /// Returns load balancers by ARN, in the order of `arns`.
    ///
    /// # Errors
    /// If one does not exist or the request fails.
    pub async fn load_balancers(&self, arns: &[&str]) -> Result<Vec<LoadBalancer>, AwsError> {
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        let request = self
            .elbv2
            .describe_load_balancers()
            .set_load_balancer_arns(Some(arns.iter().map(|arn| (*arn).to_owned()).collect()));
        let answer = self.read(LOAD_BALANCERS, || request.clone().send()).await?;
        let mut balancers: Vec<LoadBalancer> =
            answer.load_balancers().iter().map(load_balancer).collect();
        balancers.sort_by_key(|balancer| arns.iter().position(|arn| *arn == balancer.arn));
        Ok(balancers)
    }

    /// Returns all load balancers in the Region, ordered by ARN.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn all_load_balancers(&self) -> Result<Vec<LoadBalancer>, AwsError> {
        let request = self.elbv2.describe_load_balancers();
        let all = self
            .read(LOAD_BALANCERS, || {
                request.clone().into_paginator().items().send().collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let mut balancers: Vec<LoadBalancer> = all.iter().map(load_balancer).collect();
        balancers.sort_by(|a, b| a.arn.cmp(&b.arn));
        Ok(balancers)
    }

    /// Returns the listeners of a load balancer, ordered by port.
    ///
    /// # Errors
    /// If the load balancer does not exist or the request fails.
    pub async fn listeners(&self, load_balancer: &str) -> Result<Vec<Listener>, AwsError> {
        let listeners = self.listeners_of(load_balancer).await?;
        Ok(listeners.iter().map(listener).collect())
    }

    /// Returns every rule and default action that forwards to any of the target groups; in each listener the rules with
    /// the lowest priority number first and the default action last.
    ///
    /// # Errors
    /// If a target group does not exist or the request fails.
    pub async fn rules_forwarding_to(
        &self,
        target_groups: &[&str],
    ) -> Result<Vec<RuleWithActions>, AwsError> {
        let arns = target_groups.iter().map(|arn| (*arn).to_owned()).collect();
        let request = self.elbv2.describe_target_groups().set_target_group_arns(Some(arns));
        let answer = self
            .read("elasticloadbalancing:DescribeTargetGroups", || request.clone().send())
            .await?;
        let balancers: BTreeSet<&str> = answer
            .target_groups()
            .iter()
            .flat_map(|group| group.load_balancer_arns())
            .map(String::as_str)
            .collect();
        let mut naming = Vec::new();
        for balancer in balancers {
            let all = match self.rules_of(balancer).await {
                // It was deleted in the meantime, with its rules.
                Err(error) if error.class == ErrorClass::NotFound => continue,
                answer => answer?,
            };
            naming.extend(all.into_iter().filter(|found| {
                let forward = found.rule.forward.as_ref();
                forward.is_some_and(|forward| target_groups.iter().any(|arn| forward.names(arn)))
            }));
        }
        Ok(naming)
    }

    /// Returns all rules and default actions of a load balancer, in the order in which they are evaluated. Omits a
    /// listener that is deleted in the meantime.
    ///
    /// # Errors
    /// If the load balancer does not exist or the request fails.
    pub async fn rules_of(&self, load_balancer: &str) -> Result<Vec<RuleWithActions>, AwsError> {
        let mut all = Vec::new();
        for listener in self.listeners_of(load_balancer).await? {
            let arn = listener.listener_arn().unwrap_or_default();
            let request = self.elbv2.describe_rules().listener_arn(arn);
            let answer = self
                .read(RULES, || {
                    request.clone().into_paginator().items().send().collect::<Result<Vec<_>, _>>()
                })
                .await;
            let rules = match answer {
                Err(error) if error.class == ErrorClass::NotFound => continue,
                answer => answer?,
            };
            let mut rules: Vec<RuleWithActions> =
                rules.iter().map(|found| rule(found, arn)).collect();
            rules.sort_by_key(|found| found.rule.priority.unwrap_or(u32::MAX));
            all.extend(rules);
        }
        Ok(all)
    }

    /// Reads these rules, in their order. Omits those that no longer exist. Sends at most two requests, or one
    /// per rule if any of them does not exist.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn rules(&self, ids: &[RuleId]) -> Result<Vec<RuleWithActions>, AwsError> {
        match self.existing_rules(ids).await {
            Err(error) if error.class == ErrorClass::NotFound => {}
            answer => return answer,
        }
        let mut found = Vec::new();
        for id in ids {
            match self.existing_rules(std::slice::from_ref(id)).await {
                Ok(rules) => found.extend(rules),
                Err(error) if error.class == ErrorClass::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn existing_rules(&self, ids: &[RuleId]) -> Result<Vec<RuleWithActions>, AwsError> {
        let (mut rules, mut listeners) = (Vec::new(), Vec::new());
        for id in ids {
            match id {
                RuleId::Rule(arn) => rules.push(arn.clone()),
                RuleId::ListenerDefault(arn) => listeners.push(arn.clone()),
            }
        }
        let mut found = Vec::new();
        if !rules.is_empty() {
            let request = self.elbv2.describe_rules().set_rule_arns(Some(rules));
            let answer = self.read(RULES, || request.clone().send()).await?;
            found.extend(answer.rules().iter().map(|aws| {
                let arn = aws.rule_arn().unwrap_or_default();
                rule(aws, &listener_of(arn))
            }));
        }
        if !listeners.is_empty() {
            let request = self.elbv2.describe_listeners().set_listener_arns(Some(listeners));
            let answer = self.read(LISTENERS, || request.clone().send()).await?;
            found.extend(answer.listeners().iter().map(default_action));
        }
        found.sort_by_key(|found| ids.iter().position(|id| *id == found.rule.id));
        Ok(found)
    }

    /// Replaces only the forward of a rule or of a listener's default action. `actions` are the actions that were read
    /// last; AWS has no version token, so the last writer wins.
    pub async fn set_forward(
        &self,
        id: &RuleId,
        actions: &RawActions,
        forward: &Forward,
    ) -> Change<()> {
        let Some(actions) = actions.with_forward(forward) else {
            return Change::Refused(AwsError::local(
                MODIFY_RULE,
                ErrorClass::Invalid,
                format!("the rule `{id}` has no forward action"),
            ));
        };
        match id {
            RuleId::Rule(arn) => {
                let request = self.elbv2.modify_rule().rule_arn(arn).set_actions(Some(actions));
                self.change(MODIFY_RULE, request.send()).await.map(|_| ())
            }
            RuleId::ListenerDefault(arn) => {
                let request = self.elbv2.modify_listener().listener_arn(arn);
                let request = request.set_default_actions(Some(actions));
                self.change(MODIFY_LISTENER, request.send()).await.map(|_| ())
            }
        }
    }

    async fn listeners_of(&self, load_balancer: &str) -> Result<Vec<AwsListener>, AwsError> {
        let request = self.elbv2.describe_listeners().load_balancer_arn(load_balancer);
        let mut listeners = self
            .read(LISTENERS, || {
                request.clone().into_paginator().items().send().collect::<Result<Vec<_>, _>>()
            })
            .await?;
        listeners.sort_by_key(|listener| listener.port());
        Ok(listeners)
    }
}

fn load_balancer(aws: &AwsLoadBalancer) -> LoadBalancer {
    let zones = aws.availability_zones().iter().filter_map(|zone| zone.zone_name());
    LoadBalancer {
        arn: aws.load_balancer_arn().unwrap_or_default().to_owned(),
        dns_name: aws.dns_name().unwrap_or_default().to_owned(),
        zones: zones.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect(),
        kind: aws.r#type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
    }
}

fn listener(aws: &AwsListener) -> Listener {
    Listener {
        arn: aws.listener_arn().unwrap_or_default().to_owned(),
        protocol: aws.protocol().map(|p| p.as_str().to_owned()).unwrap_or_default(),
        port: u16::try_from(count(aws.port())).unwrap_or(0),
    }
}

fn default_action(aws: &AwsListener) -> RuleWithActions {
    let listener = aws.listener_arn().unwrap_or_default().to_owned();
    let actions = RawActions(aws.default_actions().to_vec());
    let rule = Rule {
        id: RuleId::ListenerDefault(listener.clone()),
        listener,
        priority: None,
        conditions: RuleConditions::default(),
        forward: actions.forward(),
    };
    RuleWithActions { rule, actions }
}

/// Converts a rule. A default rule is identified by its listener, because it can only be changed through that.
fn rule(aws: &AwsRule, listener: &str) -> RuleWithActions {
    let actions = RawActions(aws.actions().to_vec());
    let id = if aws.is_default().unwrap_or(false) {
        RuleId::ListenerDefault(listener.to_owned())
    } else {
        RuleId::Rule(aws.rule_arn().unwrap_or_default().to_owned())
    };
    let rule = Rule {
        id,
        listener: listener.to_owned(),
        // The priority of the default rule is the word `default` (API model).
        priority: aws.priority().and_then(|priority| priority.parse().ok()),
        conditions: matches(aws.conditions()),
        forward: actions.forward(),
    };
    RuleWithActions { rule, actions }
}

/// Returns the ARN of a rule's listener: `…:listener-rule/app/name/lb/listener/rule` belongs to
/// `…:listener/app/name/lb/listener` (user guide).
fn listener_of(rule: &str) -> String {
    let parent = rule.rsplit_once('/').map_or(rule, |(parent, _)| parent);
    parent.replacen(":listener-rule/", ":listener/", 1)
}

fn matches(conditions: &[RuleCondition]) -> RuleConditions {
    let mut all = RuleConditions::default();
    for condition in conditions {
        match condition.field() {
            Some("http-header") => {
                let Some(header) = condition.http_header_config() else { continue };
                let name = header.http_header_name().unwrap_or_default().to_owned();
                all.headers.push((name, header.values().to_vec()));
            }
            // Host and path conditions have an older form, `Values` (API model).
            Some("host-header") => all.hosts.extend_from_slice(
                condition.host_header_config().map_or(condition.values(), |c| c.values()),
            ),
            Some("path-pattern") => all.paths.extend_from_slice(
                condition.path_pattern_config().map_or(condition.values(), |c| c.values()),
            ),
            _ => all.others = true,
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_elasticloadbalancingv2::types::HttpHeaderConditionConfig;

    #[test]
    fn a_rules_listener_is_in_its_arn() {
        assert_eq!(
            listener_of("arn:aws:elasticloadbalancing:x:1:listener-rule/app/web/50dc/f2f7/9683"),
            "arn:aws:elasticloadbalancing:x:1:listener/app/web/50dc/f2f7"
        );
    }

    #[test]
    fn conditions_are_told_apart() {
        let header = HttpHeaderConditionConfig::builder()
            .http_header_name("X-Cutover")
            .values("next")
            .build();
        let read = matches(&[
            RuleCondition::builder().field("http-header").http_header_config(header).build(),
            RuleCondition::builder().field("path-pattern").values("/api/*").build(),
            RuleCondition::builder().field("source-ip").build(),
        ]);
        assert_eq!(read.headers, [("X-Cutover".to_owned(), vec!["next".to_owned()])]);
        assert_eq!(read.paths, ["/api/*"]);
        assert!(read.others && read.hosts.is_empty());
    }
}
