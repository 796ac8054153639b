//! The program: configuration, checks, publishing, rollouts, the command line. Dependencies between modules, and on the
//! other crates, point in one direction only; see ARCHITECTURE.md.

pub mod access;
pub mod adopt;
pub mod build;
pub mod cli;
pub mod discovery;
pub mod github;
pub mod iam;
pub mod planner;
pub mod preflight;
pub mod publish;
#[cfg(feature = "demo")]
pub mod rehearse;
pub mod report;
pub mod runner;
pub mod scaffold;
