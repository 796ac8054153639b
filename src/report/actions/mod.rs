//! A run in a GitHub Actions step: log with groups and annotations, job summary, outputs. Everything here only
//! returns text; the command line writes it to the runner's files.

mod chart;
mod command;
mod log;
mod outputs;
mod run_history;
mod summary;
#[cfg(test)]
mod tests;

pub use command::{Annotation, Level, Place, sanitize};
pub use log::{Log, outcome_annotation};
pub use outputs::outputs;
pub use run_history::RunHistory;
pub use summary::{Links, short_summary, summary};
