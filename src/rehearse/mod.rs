//! Rollouts in a lab: the demo, test cases drawn from seeds, the benchmark. Apart from `cli` the
//! only folder that sees both the engine and the lab.

pub mod bench;
pub mod checkers;
mod demo;
pub mod lab;
mod process;
mod site;
pub mod swarm;

pub use demo::{Shape, SimulationError, demo};

#[cfg(test)]
mod external_changes;
#[cfg(test)]
mod fault_sweep;
#[cfg(test)]
mod interception;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod takeover;
#[cfg(test)]
mod testcase;
