//! Elastic Load Balancing v2: rules and what they forward to, target groups and their health.

mod actions;
mod blueprint;
mod health;
mod rules;

pub use actions::RawActions;
pub use blueprint::{RuleBlueprint, RuleCondition, TargetGroupBlueprint};
pub use health::TargetGroupSummary;
pub use rules::RuleWithActions;
