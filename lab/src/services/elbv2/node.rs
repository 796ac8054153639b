//! A load balancer node as data.

use std::collections::BTreeMap;

use super::conditions::RequestParts;
use super::rule::Rule;

/// A load balancer node: the part of a load balancer in one zone.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// By rule ARN, the serial number of the newest change received, and the rule; none if it was deleted.
    pub(super) rules: BTreeMap<String, (u64, Option<Rule>)>,
}

impl Node {
    /// Returns the rule of `listener` that this node applies to a request: the one with the lowest priority
    /// number whose conditions hold, otherwise the default rule.
    pub fn route(&self, listener: &str, visit: &RequestParts<'_>) -> Option<&Rule> {
        self.rules
            .values()
            .filter_map(|(_, rule)| rule.as_ref())
            .filter(|rule| rule.listener == listener && rule.matches(visit))
            .min_by_key(|rule| rule.priority.unwrap_or(u32::MAX))
    }

    /// Returns this node's copy of a rule.
    pub fn rule(&self, arn: &str) -> Option<&Rule> {
        self.rules.get(arn).and_then(|(_, rule)| rule.as_ref())
    }

    pub(super) fn apply(&mut self, arn: &str, serial: u64, content: Option<&Rule>) {
        let newer = self.rules.get(arn).is_none_or(|(known, _)| *known < serial);
        if newer {
            self.rules.insert(arn.to_owned(), (serial, content.cloned()));
        }
    }
}
