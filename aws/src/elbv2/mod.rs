//! Elastic Load Balancing v2: load balancers, listeners, rules, target groups and target health.

mod actions;
mod blueprint;
mod health;
mod rules;

pub use actions::RawActions;
pub use blueprint::{RuleBlueprint, RuleCondition, TargetGroupBlueprint};
pub use health::TargetGroupSummary;
pub use rules::RuleWithActions;
