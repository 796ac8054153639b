//! Auto Scaling: groups, instance refreshes, scheduled actions and activities.

mod activities;
mod blueprint;
mod groups;
mod refreshes;
mod scheduled;
mod template;

pub use blueprint::GroupBlueprint;
