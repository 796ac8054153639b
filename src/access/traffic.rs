//! Target groups, and the rules and default actions that move.

use std::collections::BTreeSet;

use super::Survey;
use crate::cloud::{CloudError, RuleWithActions};
use crate::config::Fleet;
use crate::iam::Use;
use crate::model::{Colour, Group, PerColour, Rule, RuleId, TargetGroup};
use crate::preflight::select;

const TARGET_GROUPS: &str = "elasticloadbalancing:DescribeTargetGroups";

impl Survey<'_> {
    pub(super) async fn traffic(&mut self, groups: Option<&[Group]>) -> Result<(), CloudError> {
        match &self.config.fleet {
            Fleet::Pair(pair) => {
                for one in [Use::TargetGroups, Use::LoadBalancer, Use::Counts] {
                    self.uses.insert(one);
                }
                let names = Colour::BOTH.map(|colour| pair[colour].target_group.clone());
                self.pair(&names).await
            }
            Fleet::Single(sole) => {
                let configured = sole.target_group.clone();
                self.single(configured, groups).await
            }
        }
    }

    /// What a group without another has of a load balancer is only read.
    async fn single(
        &mut self,
        configured: Option<String>,
        groups: Option<&[Group]>,
    ) -> Result<(), CloudError> {
        let attached = groups.unwrap_or_default().iter().flat_map(|group| &group.target_groups);
        // `…:targetgroup/name/id` (user guide).
        let attached = attached.filter_map(|arn| arn.split('/').nth(1)).map(str::to_owned);
        let names: Vec<String> = configured.map_or_else(|| attached.collect(), |name| vec![name]);
        if names.is_empty() {
            return Ok(());
        }
        self.uses.insert(Use::TargetGroups);
        if self.config.judge.errors.is_some() {
            self.uses.insert(Use::Counts);
        }
        let found = self.target_groups(&names, "whether a load balancer serves the group").await?;
        if found.iter().flatten().any(|group| !group.load_balancers.is_empty()) {
            self.uses.insert(Use::LoadBalancer);
        }
        Ok(())
    }

    async fn pair(&mut self, names: &[String; 2]) -> Result<(), CloudError> {
        const WITHOUT: &str =
            "the rules that move: elasticloadbalancing:ModifyRule and ModifyListener are missing";
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
        let selection = select(&self.config.traffic, &plain, PerColour { blue, green });
        for id in selection.moving.iter().chain(&selection.test) {
            match id {
                RuleId::Rule(arn) => {
                    self.uses.insert(Use::Rules);
                    self.resources.rules.push(arn.clone());
                }
                RuleId::ListenerDefault(arn) => {
                    self.uses.insert(Use::Listeners);
                    self.resources.listeners.push(arn.clone());
                }
            }
            let moved = rules.iter().filter(|found| found.rule.id == *id);
            let pools: Vec<String> = moved.flat_map(|found| found.actions.user_pools()).collect();
            if !pools.is_empty() {
                self.uses.insert(Use::Cognito);
                self.resources.user_pools.extend(pools);
            }
        }
        for missing in &selection.missing {
            self.gap("elasticloadbalancing:DescribeRules", format!("{missing} does not exist"));
        }
        if selection.moving.is_empty() {
            let what = format!("no rule forwards to `{}` or `{}`", names[0], names[1]);
            self.gap("elasticloadbalancing:DescribeRules", what);
        }
        Ok(())
    }

    /// The target groups of these names; `None` where they could not be read.
    async fn target_groups(
        &mut self,
        names: &[String],
        without: &str,
    ) -> Result<Option<Vec<TargetGroup>>, CloudError> {
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
