//! Instance refresh: replacing a group's instances with ones of another configuration.

mod bounds;
mod census;
mod change;
mod describe;
pub(super) mod instance_refresh;
mod preferences;
mod read;
mod replace;
mod start;
mod steps;
mod stop;
#[cfg(test)]
mod tests;

pub use preferences::{InstanceHandling, Preferences};

pub(super) use describe::describe;
pub(super) use start::start;
pub(super) use steps::step;
pub(super) use stop::{cancel, roll_back};
