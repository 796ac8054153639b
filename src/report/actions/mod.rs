//! A run in a GitHub Actions step: its log with groups and annotations, its job summary, its outputs.
//! Everything here is text; the command line writes it where the runner reads it.

mod chart;
mod command;
mod log;
mod outputs;
mod story;
mod summary;
#[cfg(test)]
mod tests;

pub use command::{Annotation, Level, Place, plain};
pub use log::{Log, ending};
pub use outputs::outputs;
pub use story::Story;
pub use summary::{Links, short, summary};
