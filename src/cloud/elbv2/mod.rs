//! Elastic Load Balancing v2: rules and what they forward to, target groups and their health.

mod actions;
mod health;
mod rules;

pub use actions::RawActions;
pub use health::TargetGroupSummary;
pub use rules::RuleWithActions;
