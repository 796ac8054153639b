//! Rollouts in a lab: the demo, test cases drawn from seeds, the benchmark. Apart from `cli` the
//! only folder that sees both the planner and the lab. Released binaries have the demo, not the
//! swarm.

#[cfg(feature = "swarm")]
pub mod bench;
#[cfg(feature = "swarm")]
pub mod checkers;
mod demo;
pub mod lab;
mod process;
mod simulation_error;
mod site;
#[cfg(feature = "swarm")]
pub mod swarm;

pub use demo::{Shape, demo};
pub use simulation_error::SimulationError;

#[cfg(test)]
#[cfg(feature = "swarm")]
mod external_changes;
#[cfg(test)]
#[cfg(feature = "swarm")]
mod fault_sweep;
#[cfg(test)]
#[cfg(feature = "swarm")]
mod interception;
#[cfg(test)]
#[cfg(feature = "swarm")]
mod permissions;
#[cfg(test)]
#[cfg(feature = "swarm")]
mod takeover;
#[cfg(test)]
#[cfg(feature = "swarm")]
mod testcase;
