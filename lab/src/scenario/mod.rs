//! What a world holds when it begins: an architecture, as plain data, and how it is built.

mod build;
mod document;
mod image;
mod job;
mod load;
mod specs;
#[cfg(test)]
mod tests;

pub use document::{IamEnforcement, Scenario};
pub use image::ImageFiles;
pub use job::{JobSpec, TriggerEvent};
pub use load::{SHIPPED, ScenarioError};
pub use specs::{ConditionSpec, GroupSpec, RuleSpec, ScalingSpec};
