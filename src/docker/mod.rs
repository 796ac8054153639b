//! A container engine on this machine: what is sent to it to build, and what it has stored.

mod arrivals;
mod build;
mod build_error;
mod context;
mod dockerfile;
mod engine;
mod error;
mod failure;
mod ignore;
mod progress;
mod session;
mod steps;
#[cfg(target_os = "linux")]
mod store;
#[cfg(target_os = "linux")]
mod tar_split;
mod way;

#[cfg(target_os = "linux")]
pub use arrivals::from_store;
pub use arrivals::{Arrivals, Arriving, ArrivingLayer, from_export};
pub use build::{Build, Secret, SecretSource, SshAgent, Surroundings, Variable};
pub use build_error::{BuildError, Failure};
pub use engine::{Engine, Facts, Kind, Stored};
pub use error::{EngineError, Tried};
pub use ignore::{Ignore, InvalidPattern};
pub use progress::Progress;
pub use session::Login;
#[cfg(target_os = "linux")]
pub use store::{Archive, LayerStore, is_readable};
pub use way::Way;
