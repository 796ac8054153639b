//! A listener rule as data.

use super::action::{Action, Forward};
use super::conditions::{Condition, RequestParts};

/// A listener rule: the actions for requests that meet its conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// `arn:aws:elasticloadbalancing:…:listener-rule/app/<name>/<lb>/<listener>/<16 digits>`.
    pub arn: String,
    /// The ARN of its listener.
    pub listener: String,
    /// The ARN of its load balancer.
    pub load_balancer: String,
    /// 1 to 50000, evaluated from the lowest; none for the default rule, which is evaluated last.
    pub priority: Option<u32>,
    /// Its conditions, all of which must hold.
    pub conditions: Vec<Condition>,
    /// Its actions.
    pub actions: Vec<Action>,
}

impl Rule {
    /// Returns whether its conditions hold for a request.
    pub fn matches(&self, visit: &RequestParts<'_>) -> bool {
        self.conditions.iter().all(|c| c.matches(visit))
    }

    /// Returns its forward action, if it has one.
    pub fn forward(&self) -> Option<&Forward> {
        self.actions.iter().find_map(Action::as_forward)
    }

    /// Returns the ARNs of the target groups that it forwards to, whatever their weight.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.forward().into_iter().flat_map(|f| f.groups.iter().map(|(arn, _)| arn.as_str()))
    }
}
