//! The modules of cutover. Dependencies between them point in one direction only; see ARCHITECTURE.md.

pub mod access;
pub mod adopt;
pub mod aws;
pub mod cli;
pub mod config;
pub mod discovery;
pub mod docker;
pub mod engine;
pub mod github;
pub mod iam;
pub mod image;
pub mod judge;
pub mod model;
pub mod net;
pub mod preflight;
pub mod publish;
pub mod registry;
pub mod rehearse;
pub mod report;
pub mod rollout;
pub mod scaffold;
pub mod template;
