//! The swarm: hostile stories, each drawn from a seed, in which the promises must hold.

mod draw;
mod play;
mod story;
#[cfg(test)]
mod tests;
mod verdict;
mod weather;

pub use draw::draw;
pub use play::{End, Played, play};
pub use story::{Cut, Run, Story};
pub use verdict::{Tally, Verdict, swarm};
