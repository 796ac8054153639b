//! Deployments inside a lab: the demo, stories drawn from seeds, the bench. Beside `cli` the only
//! folder that sees both engine and lab.

pub mod bench;
pub mod checkers;
mod demo;
pub mod lab;
mod process;
mod site;
pub mod swarm;

pub use demo::{Shape, Unrehearsed, demo};

#[cfg(test)]
mod adversity;
#[cfg(test)]
mod other_hands;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod story;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod takeover;
