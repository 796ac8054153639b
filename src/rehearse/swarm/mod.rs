//! The swarm: hostile test cases, each drawn from a seed, in which the promises must hold.

mod case;
mod dice;
mod draw;
mod faults;
mod runner;
#[cfg(test)]
mod tests;
mod verdict;

pub use case::{EarlyEnd, Run, SwarmCase};
pub use draw::draw;
pub use runner::{CaseResult, End, play};
pub use verdict::{Tally, Verdict, swarm};
