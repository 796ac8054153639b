//! Target groups, and the rules and default actions that cutover changes.

use std::collections::BTreeSet;

use super::Survey;
use crate::iam::Feature;
use crate::preflight::select_rules;
use cutover_aws::{AwsError, RuleWithActions};
use cutover_config::Fleet;
use cutover_rollout::model::{Color, Group, PerColor, Rule, RuleId, TargetGroup};

const TARGET_GROUPS: &str = "elasticloadbalancing:DescribeTargetGroups";

impl Survey<'_> {
    pub(super) async fn traffic(&mut self, groups: Option<&[Group]>) -> Result<(), AwsError> {
        match &self.config.fleet {
            Fleet::Pair(pair) => {
                for one in [Feature::TargetGroups, Feature::LoadBalancer, Feature::Counts] {
                    self.uses.insert(one);
                }
                let names = Color::BOTH.map(|color| pair[color].target_group.clone());
                self.pair(&names).await
            }
            Fleet::Single(sole) => {
                let configured = sole.target_group.clone();
                self.single(configured, groups).await
            }
        }
    }

    /// Adds the target group and load balancer of a service with one group, which are only read.
    async fn single(
        &mut self,
        configured: Option<String>,
        groups: Option<&[Group]>,
    ) -> Result<(), AwsError> {
        let attached = groups.unwrap_or_default().iter().flat_map(|group| &group.target_groups);
        // `…:targetgroup/name/id` (user guide).
        let attached = attached.filter_map(|arn| arn.split('/').nth(1)).map(str::to_owned);
        let names: Vec<String> = configured.map_or_else(|| attached.collect(), |name| vec![name]);
        if names.is_empty() {
            return Ok(());
        }
        self.uses.insert(Feature::TargetGroups);
        if self.config.judge.errors.is_some() {
            self.uses.insert(Feature::Counts);
        }
        let found =
            self.target_groups(&names, "whether the group is behind a load balancer").await?;
        if found.iter().flatten().any(|group| !group.load_balancers.is_empty()) {
            self.uses.insert(Feature::LoadBalancer);
        }
        Ok(())
    }

    async fn pair(&mut self, names: &[String; 2]) -> Result<(), AwsError> {
        const WITHOUT: &str = "the rules to change (the policy lacks elasticloadbalancing:ModifyRule and ModifyListener)";
        let Some(found) = self.target_groups(names, WITHOUT).await? else { return Ok(()) };
        let arn = |name: &String| found.iter().find(|group| group.name == *name).map(|g| &*g.arn);
        let (Some(blue), Some(green)) = (arn(&names[0]), arn(&names[1])) else { return Ok(()) };
        let balancers: BTreeSet<&String> =
            found.iter().flat_map(|group| &group.load_balancers).collect();
        let mut rules: Vec<RuleWithActions> = Vec::new();
        for balancer in balancers {
            let read = self.cloud.rules_of(balancer).await;
            match self.known(read, WITHOUT)? {
                Some(found) => rules.extend(found),
                None => return Ok(()),
            }
        }
        let plain: Vec<Rule> = rules.iter().map(|found| found.rule.clone()).collect();
        let selection = select_rules(&self.config.traffic, &plain, PerColor { blue, green });
        for id in selection.traffic_rules.iter().chain(&selection.test) {
            match id {
                RuleId::Rule(arn) => {
                    self.uses.insert(Feature::Rules);
                    self.resources.rules.push(arn.clone());
                }
                RuleId::ListenerDefault(arn) => {
                    self.uses.insert(Feature::Listeners);
                    self.resources.listeners.push(arn.clone());
                }
            }
            let moved = rules.iter().filter(|found| found.rule.id == *id);
            let pools: Vec<String> = moved.flat_map(|found| found.actions.user_pools()).collect();
            if !pools.is_empty() {
                self.uses.insert(Feature::Cognito);
                self.resources.user_pools.extend(pools);
            }
        }
        for missing in &selection.missing {
            self.gap(
                "elasticloadbalancing:DescribeRules",
                format!("the rule {missing} does not exist"),
            );
        }
        if selection.traffic_rules.is_empty() {
            let what = format!("no rule forwards to `{}` or `{}`", names[0], names[1]);
            self.gap("elasticloadbalancing:DescribeRules", what);
        }
        Ok(())
    }

    /// Returns the target groups of these names; `None` if they could not be read.
    async fn target_groups(
        &mut self,
        names: &[String],
        without: &str,
    ) -> Result<Option<Vec<TargetGroup>>, AwsError> {
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        let read = self.cloud.target_groups_by_name(&all).await;
        let found = self.known(read, without)?;
        for name in names {
            let exists = |found: &Vec<TargetGroup>| found.iter().any(|group| group.name == *name);
            if found.as_ref().is_some_and(|found| !exists(found)) {
                self.gap(TARGET_GROUPS, format!("the target group `{name}` does not exist"));
            }
        }
        Ok(found)
    }
}
